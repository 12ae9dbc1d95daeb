"""Where the root key comes from: file, environment, command; and how each refuses."""

import base64
import os
import stat
import sys
import traceback
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.aead import Undecipherable
from adapters.keyring import Keyring, open_keyring
from adapters.root_key import (
    KeyFileError,
    RootKeyCommand,
    RootKeyFile,
    RootKeySource,
    RootKeyText,
    create_key_file,
    root_key_source,
)
from domain.settings import Settings

ONE, TWO, THREE = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
SECRET = base64.b64encode(ONE).decode()


def line(version: int, key: bytes) -> str:
    return f"{version} {base64.b64encode(key).decode()}\n"


def key_file(folder: Path, *lines: str) -> RootKeyFile:
    path = folder / "root.key"
    path.write_text("".join(lines))
    path.chmod(0o400)
    return RootKeyFile(path)


def script(folder: Path, body: str) -> RootKeyCommand:
    """A real program, as an operator would write one."""
    path = folder / "ask-for-the-key"
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o700)
    return RootKeyCommand(f"{path} --key-id 'gatepass root'")


def test_versions_are_added_and_removed_by_replacing_the_whole_file(tmp_path: Path) -> None:
    source = key_file(tmp_path, line(1, ONE))
    before = source.path.stat()
    source.add(2)
    assert source.read()[1] == ONE
    assert len(source.read()[2]) == 32
    after = source.path.stat()
    assert after.st_ino != before.st_ino, "it is replaced, never written in place"
    assert stat.S_IMODE(after.st_mode) == 0o400
    source.remove(1)
    assert list(source.read()) == [2]
    assert [each.name for each in tmp_path.iterdir()] == ["root.key"], "no copy is left"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_file_stays_readable_for_whoever_read_it(tmp_path: Path) -> None:
    """The command may be run by root and the processes by another account."""
    source = key_file(tmp_path, line(1, ONE))
    source.path.chmod(0o440)
    os.chown(source.path, 10001, 10002)
    source.add(2)
    found = source.path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (10001, 10002, 0o440)


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    source = key_file(tmp_path, line(1, ONE))
    link = tmp_path / "linked.key"
    link.symlink_to(source.path)
    RootKeyFile(link).add(2)
    assert link.is_symlink()
    assert sorted(source.read()) == [1, 2]


def test_a_file_that_cannot_be_replaced_is_left_whole_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a single file that is mounted into a container."""
    source = key_file(tmp_path, line(1, ONE))

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    with pytest.raises(KeyFileError, match=r"replaced \(Device or resource busy\).*append `2 `"):
        source.add(2)
    with pytest.raises(KeyFileError, match="remove the line of version 1 by hand"):
        source.remove(1)
    assert source.read() == {1: ONE}
    assert [each.name for each in tmp_path.iterdir()] == ["root.key"], "no key lies about"


def test_a_folder_that_is_missing_is_made_for_a_new_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "root.key"
    create_key_file(path)
    assert list(RootKeyFile(path).read()) == [1]


def test_the_environment_has_its_versions_separated_by_commas() -> None:
    source = RootKeyText(f"1:{base64.b64encode(ONE).decode()},2:{base64.b64encode(TWO).decode()}")
    assert source.read() == {1: ONE, 2: TWO}
    with pytest.raises(KeyFileError, match=r"Add `,3:`.*restart them all, and run this again"):
        source.add(3)
    with pytest.raises(KeyFileError, match="Remove it from GATEPASS_ROOT_KEY"):
        source.remove(1)


def test_a_command_is_asked_without_a_shell(tmp_path: Path) -> None:
    source = script(
        tmp_path,
        "import sys\nassert sys.argv[1:] == ['--key-id', 'gatepass root']\n"
        f"print({line(1, ONE)!r}, end='')\nprint({line(2, TWO)!r})",
    )
    assert source.read() == {1: ONE, 2: TWO}
    with pytest.raises(KeyFileError, match="Have the key service keep a version 3"):
        source.add(3)
    with pytest.raises(KeyFileError, match="Have the key service destroy it"):
        source.remove(1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"import sys\nprint('1 {SECRET}')\nprint('{SECRET}', file=sys.stderr)\nsys.exit(3)", "C"),
        (f"print('1 {SECRET} trailing')", "lines of"),
        (f"print('{SECRET} 1')", "lines of"),
        (f"print('{SECRET}')", "lines of"),
        (f"print('1 {SECRET[:-4]}')", "32 bytes"),
        ("", "at least one key"),
    ],
)
def test_what_a_command_printed_is_in_no_error(tmp_path: Path, body: str, kind: str) -> None:
    with pytest.raises(KeyFileError, match=kind) as caught:
        script(tmp_path, body).read()
    assert SECRET[:20] not in _everything_of(caught.value)


def _everything_of(error: BaseException) -> str:
    """An error as a log may show it, with what caused it."""
    return "".join(traceback.format_exception(error))


def test_a_command_that_is_none_or_hangs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyFileError, match="FileNotFoundError"):
        RootKeyCommand(str(tmp_path / "nothing")).read()
    with pytest.raises(KeyFileError, match="ValueError"):
        RootKeyCommand("echo 'unclosed").read()
    monkeypatch.setattr("adapters.root_key.COMMAND_SECONDS", 0.2)
    with pytest.raises(KeyFileError, match="TimeoutExpired"):
        script(tmp_path, "import time\ntime.sleep(30)").read()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((line(1, ONE), line(1, TWO)), "each version once"),
        ((line(0, ONE),), "number its versions from 1"),
        ((f"4294967296 {SECRET}\n",), "number its versions from 1"),
        ((line(1, ONE[:31]),), "32 bytes"),
        ((line(1, ONE + b"x"),), "32 bytes"),
        ((f"one {SECRET}\n",), "lines of `version base64-key`"),
    ],
)
def test_a_wrong_file_is_refused_without_its_contents(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(KeyFileError, match=message) as caught:
        key_file(tmp_path, *lines).read()
    assert SECRET[:20] not in _everything_of(caught.value)


def test_the_command_goes_before_the_environment_and_that_before_the_file() -> None:
    everything = {"root_key_command": "ask", "root_key": f"1:{SECRET}", "root_key_file": "root.key"}
    assert _source_of(everything) == RootKeyCommand("ask")
    assert _source_of(everything | {"root_key_command": ""}) == RootKeyText(f"1:{SECRET}")
    assert _source_of({"root_key_file": "root.key"}) == RootKeyFile(Path("root.key"))


def _source_of(chosen: dict[str, Any]) -> RootKeySource:
    return root_key_source(Settings(**chosen))


def test_a_keyring_learns_of_a_new_version_when_it_meets_one(tmp_path: Path) -> None:
    """A process that hears late must not fail for that."""
    source = key_file(tmp_path, line(1, ONE))
    ring = open_keyring(Settings(root_key_file=str(source.path)))
    source.add(2)
    other = Keyring(source.read())
    assert ring.unwrap(other.wrap(b"clear", b"place"), b"place") == b"clear"
    assert ring.newest == 2
    source.add(3)
    link = Keyring(source.read()).link_token(_session(), 1, 3)
    ring._looked_for.clear()
    assert ring.link_token(_session(), 1, 3) == link


def test_a_version_that_is_nowhere_opens_nothing_and_is_not_asked_for_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = open_keyring(Settings(root_key_file=str(key_file(tmp_path, line(1, ONE)).path)))
    asked: list[int] = []
    monkeypatch.setattr(ring, "look_again", lambda: asked.append(1))
    record = Keyring({9: TWO}).wrap(b"clear", b"place")
    for _ in range(100):
        with pytest.raises(Undecipherable):
            ring.unwrap(record, b"place")
        with pytest.raises(Undecipherable):
            ring.link_token(_session(), 1, 9)
    assert len(asked) == 1


def test_a_file_that_is_away_for_a_moment_stops_nothing(tmp_path: Path) -> None:
    source = key_file(tmp_path, line(1, ONE))
    ring = open_keyring(Settings(root_key_file=str(source.path)))
    source.path.unlink()
    with pytest.raises(Undecipherable):
        ring.unwrap(Keyring({2: TWO}).wrap(b"clear", b"place"), b"place")
    assert ring.unwrap(ring.wrap(b"clear", b"place"), b"place") == b"clear"
    with pytest.raises(KeyFileError, match="No root key"):
        ring.look_again()


def test_a_version_that_became_another_key_is_refused(tmp_path: Path) -> None:
    """A file of another installation, put in the place of ours while processes run."""
    source = key_file(tmp_path, line(1, ONE))
    ring = open_keyring(Settings(root_key_file=str(source.path)))
    source.path.chmod(0o600)
    source.path.write_text(line(1, TWO) + line(2, THREE))
    with pytest.raises(KeyFileError, match="Version 1 of the root key was replaced"):
        ring.look_again()
    assert ring.roots == {1: ONE}


def test_new_keys_are_wrapped_by_an_epoch_that_everybody_has() -> None:
    ring = Keyring({1: ONE, 2: TWO})
    ring.make_current(1)
    assert (ring.epoch, ring.newest) == (1, 2)
    ring.make_current(2)
    assert ring.epoch == 2


def _session() -> UUID:
    return UUID(int=7)
