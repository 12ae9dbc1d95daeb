"""`gatepass demo`, the way a person uses it: start, look, stop, start again, be killed."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from adapters.embedded.ports import free_port
from adapters.embedded.temporal_server import program
from tests.store.test_embedded_postgres import ended

pytestmark = pytest.mark.timeout(180)
LOADED_START, LOADED_STOP = 40, 12
"""Seconds; on an idle machine a second start takes under 10 and Ctrl-C under 3."""
STARTED_WITHIN = 90.0


class Demo:
    """A demo under way on a data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.output = data.parent / "output.txt"
        ports = ("--port", "--mailbox-port", "--smtp-port", "--temporal-port", "--temporal-ui-port")
        given = [word for each in ports for word in (each, str(free_port()))]
        # A killed test run leaves nothing either.
        command = [program("gatepass"), "demo", "--data", str(data), "--end-with-parent", *given]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        """What it has printed."""
        return self.output.read_text()

    def wait_until_up(self) -> float:
        """How many seconds it took; fails when it ends instead."""
        began = time.monotonic()
        while "Gatepass is running" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() - began < STARTED_WITHIN, self.said
            time.sleep(0.05)
        return time.monotonic() - began

    def addresses(self) -> dict[str, str]:
        """`demo.json`."""
        found: dict[str, str] = json.loads((self.data / "demo.json").read_text())
        return found

    def children(self) -> list[int]:
        """The ids of its own children."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in path.read_text().split()]

    def stop(self) -> float:
        """Ctrl-C; how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return time.monotonic() - began


@contextmanager
def running(data: Path) -> Iterator[Demo]:
    demo = Demo(data)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One data folder that the tests of this file use one after the other."""
    data = tmp_path_factory.mktemp("demo") / "data"
    yield data
    pointer = data / "postgres/LOCATION"
    if pointer.exists():
        shutil.rmtree(pointer.read_text().splitlines()[0])


def mails(addresses: dict[str, str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = httpx2.get(f"{addresses['mailbox']}/messages.json").json()
    return found


def to_vendor(addresses: dict[str, str]) -> list[dict[str, str]]:
    """The mails to the example's vendor; the first administrator has one, too."""
    return [each for each in mails(addresses) if "northwind" in each["to"]]


def test_everything_starts_with_one_command_and_ends_with_ctrl_c(data: Path) -> None:
    with running(data) as demo:
        demo.wait_until_up()
        addresses = demo.addresses()
        assert addresses.keys() == {"api", "token", "mailbox", "temporal", "temporal_ui"}
        assert stat.S_IMODE((data / "demo.json").stat().st_mode) == 0o600
        assert httpx2.get(f"{addresses['api']}/readyz").status_code == 200
        assert httpx2.get(addresses["temporal_ui"]).status_code == 200
        for address in (addresses["mailbox"], addresses["temporal_ui"], str(data)):
            assert address in demo.said
        assert re.search(rf"{addresses['api']}/console/demo/links/[a-z2-7]{{32}}\n", demo.said)
        invitation = invited(addresses)
        assert re.search(rf"{addresses['api']}/s/\S+", invitation["text"])
        assert_second_start_is_refused(data, addresses)
        children = demo.children()
        assert len(children) == 5
        assert demo.stop() < LOADED_STOP
        assert demo.process.returncode == 0
        assert all(ended(child, within=0) for child in children)


def invited(addresses: dict[str, str]) -> dict[str, str]:
    """The invitation of the demo's vendor, once it has arrived."""
    give_up = time.monotonic() + 20
    while not (found := to_vendor(addresses)):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    (invitation,) = found
    return invitation


def assert_second_start_is_refused(data: Path, addresses: dict[str, str]) -> None:
    command = [program("gatepass"), "demo", "--data", str(data)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 1
    assert "already running" in second.stdout
    assert addresses["api"] in second.stdout


def test_a_second_start_is_quick_and_goes_on_where_it_was(data: Path) -> None:
    with running(data) as demo:
        assert demo.wait_until_up() < LOADED_START
        addresses = demo.addresses()
        assert len(to_vendor(addresses)) == 1
        headers = {"Authorization": f"Bearer {addresses['token']}"}
        parties = httpx2.get(f"{addresses['api']}/api/v1/parties", headers=headers).json()
        assert [party["name"] for party in parties["items"]] == ["Northwind Textiles"]
        assert demo.stop() < LOADED_STOP


def test_killed_it_leaves_no_orphan_and_no_damage(data: Path) -> None:
    with running(data) as demo:
        demo.wait_until_up()
        children = demo.children()
        demo.process.kill()
        demo.process.wait()
        assert all(ended(child) for child in children)
    with running(data) as again:
        again.wait_until_up()
        assert len(to_vendor(again.addresses())) == 1
        again.stop()


def test_a_client_that_dies_is_started_again(data: Path) -> None:
    with running(data) as demo:
        demo.wait_until_up()
        address = demo.addresses()["api"]
        os.kill(child_running(demo, "-m\0api\0"), signal.SIGKILL)
        give_up = time.monotonic() + 20
        while "Starting API again." not in demo.said or not answers_ready(address):
            assert time.monotonic() < give_up
            time.sleep(0.1)
        demo.stop()


def answers_ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").is_success
    except httpx2.TransportError:
        return False


def child_running(demo: Demo, words: str) -> int:
    """The child whose command line has `words`."""
    for child in demo.children():
        if words in Path(f"/proc/{child}/cmdline").read_text():
            return child
    pytest.fail(f"no child runs {words}")


def test_a_server_that_dies_ends_everything_with_its_name(data: Path) -> None:
    with running(data) as demo:
        demo.wait_until_up()
        children = demo.children()
        os.kill(child_running(demo, "start-dev"), signal.SIGKILL)
        demo.process.wait(10)
        assert demo.process.returncode == 1
        assert "Temporal ended by itself (SIGKILL)" in demo.said
        assert all(ended(child, within=0) for child in children)


def test_ends_with_the_parent_that_asked_for_it(data: Path) -> None:
    """`make demo` asks: a killed make leaves nothing either."""
    command = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
    command += [program("gatepass"), "demo", "--data", str(data), "--end-with-parent"]
    (data / "demo.json").unlink(missing_ok=True)
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with parent:
        give_up = time.monotonic() + STARTED_WITHIN
        while not (data / "demo.json").exists():
            assert time.monotonic() < give_up
            time.sleep(0.1)
        path = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        [demo] = [int(each) for each in path.read_text().split()]
        parent.kill()
    assert ended(demo)


def test_a_lost_database_is_made_again(data: Path) -> None:
    """Run as root the cluster is in /var/tmp, which a system may clear."""
    pointer = data / "postgres/LOCATION"
    cluster = Path(pointer.read_text().splitlines()[0]) if pointer.exists() else data / "postgres"
    shutil.rmtree(cluster)
    with running(data) as demo:
        demo.wait_until_up()
        addresses = demo.addresses()
        headers = {"Authorization": f"Bearer {addresses['token']}"}
        parties = httpx2.get(f"{addresses['api']}/api/v1/parties", headers=headers).json()
        assert len(parties["items"]) == 1
        demo.stop()
