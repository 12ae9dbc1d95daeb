"""`python -m api` as its own process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from httpx2 import AsyncClient, ConnectError

from adapters.embedded.ports import free_port
from api.browser import cookie_name
from domain.settings import Settings
from tests.api.conftest import token_of
from tests.api.factories import API, make_session
from tests.rooms.house import House

HERE = Path(__file__).parents[2]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The settings as the process reads them."""
    ours = {
        "GATEPASS_DATABASE_URL": settings.database_url,
        "GATEPASS_ROOT_KEY_FILE": settings.root_key_file,
        "GATEPASS_OBJECT_STORE": settings.object_store,
        "GATEPASS_TEMPORAL_ADDRESS": settings.temporal_address,
    }
    return os.environ | ours | more


@contextmanager
def serving(settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended in any case."""
    command = [sys.executable, "-m", "api", "--port", str(port)]
    process = subprocess.Popen(command, cwd=HERE, env=environment(settings), stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


async def until_up(client: AsyncClient) -> None:
    """Waits for the first answer."""
    for _ in range(600):
        try:
            await client.get("/healthz")
        except ConnectError:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail("the process does not answer")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_at_once_with_a_page_open(
    settings: Settings, house: House, stop: signal.Signals
) -> None:
    """An open event stream does not keep the process."""
    port = free_port()
    headers = {"authorization": f"Bearer {await token_of(house)}"}
    with serving(settings, port) as process:
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            await until_up(client)
            # The process lives in real time, the house at its own.
            house.clock.now = house.clock.now.fromtimestamp(time.time(), house.clock.now.tzinfo)
            session = await make_session(client)
            visitor = await house.enter(session["id"])
            client.cookies.set(cookie_name(settings, visitor.session_id.hex), visitor.secret)
            path = f"/sessions/{session['id']}/events"
            async with client.stream("GET", path) as stream:
                assert stream.status_code == 200
                lines = stream.aiter_lines()
                assert await anext(lines)
                began = time.monotonic()
                process.send_signal(stop)
                async for _ in lines:
                    pass
            status = await asyncio.to_thread(process.wait, 5)
    # Half of it is the interpreter's own end, on a machine that other tests keep busy.
    assert time.monotonic() - began < 3
    assert status == 0


async def test_a_missing_root_key_is_said_in_one_line(settings: Settings, tmp_path: Path) -> None:
    missing = environment(settings, GATEPASS_ROOT_KEY_FILE=str(tmp_path / "nowhere.key"))
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "api", "--port", str(free_port())],
        cwd=HERE,
        env=missing,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    [line] = done.stderr.decode().splitlines()
    assert "No root key at" in line


async def test_an_unknown_setting_is_said_in_one_line(settings: Settings) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "api"],
        cwd=HERE,
        env=environment(settings, GATEPASS_COLOUR="red"),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"GATEPASS_COLOUR" in done.stderr) == (2, True)


async def test_a_forged_forwarded_header_changes_nothing(settings: Settings, house: House) -> None:
    """ASVS 15.3.4: uvicorn's own trust in the loopback is off."""
    port = free_port()
    with serving(settings, port) as process:
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await until_up(client)
            forged = {"x-forwarded-for": "203.0.113.9"}
            assert (await client.get(f"{API}/parties", headers=forged)).status_code == 401
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.to_thread(process.communicate)
    assert b"203.0.113.9" not in log
    assert b'"path": "/api/v1/parties"' in log
