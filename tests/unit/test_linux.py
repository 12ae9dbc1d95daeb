"""What processes with keys ask of Linux at their start."""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cli
import worker
from adapters import linux
from api import __main__ as api_main

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from adapters.linux import close_memory, prctl
print(prctl(3))
close_memory()
print(prctl(3))
"""


def test_a_process_can_close_its_memory_to_others() -> None:
    root = str(Path(linux.__file__).parents[1])
    said = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, root], capture_output=True, check=True
    )
    assert said.stdout.split() == [b"1", b"0"]


class Closed(Exception):
    """Ends a process that is about to start."""


@pytest.mark.parametrize("main", [api_main.main, worker.main, cli.main])
def test_every_process_with_keys_closes_its_memory_first(
    main: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def close() -> None:
        raise Closed

    for module in (api_main, worker, cli):
        monkeypatch.setattr(module, "close_memory", close)
    with pytest.raises(Closed):
        main()


def test_what_the_kernel_refuses_is_an_error() -> None:
    with pytest.raises(OSError, match="Invalid") as caught:
        linux.prctl(123456)
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError, match="not implemented") as caught:
        linux.system_call(100_000)
    assert caught.value.errno == errno.ENOSYS
