"""`python -m benchmarks.releases OLDER`: completions of this release beside those of an older one.

OLDER is a folder with the sources of the older release, such as a git worktree. Both run whole,
each with servers and programs of its own, and tasks are completed in turn, one here and one there,
so that whatever else the machine does slows both. Everything is done as outsiders do it: the
command line, the API, the mails, the pages; so a release need not know of this program.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from adapters.embedded.data_folder import DataFolder
from adapters.embedded.demo_example import is_up
from adapters.embedded.demo_ports import Ports
from adapters.embedded.demo_programs import (
    api_program,
    environ_of,
    mailbox_program,
    worker_program,
)
from adapters.embedded.ports import LOOPBACK, answers, free_port
from adapters.embedded.postgres import start_postgres
from adapters.embedded.process import wait_until_ready
from adapters.embedded.temporal_server import start_temporal
from adapters.mailbox.folder import MailFolder
from benchmarks import party
from benchmarks.figures import Row, at_most_of_floor, median, percentile
from benchmarks.http_client import Browser
from benchmarks.office import TEMPLATE
from benchmarks.stack import READY, STOP
from benchmarks.table import table

HERE = Path(__file__).resolve().parents[1]
PACK = ("documents", "forms", "lifecycles")
WARM_UP = 3
PAUSE = 0.04
"""Seconds before each sample: what the one before left to do must not slow it."""
QUIET_AFTER = 1.0
"""Seconds in which the session before is settled, and its receipt mailed."""
LONGEST_MAIL = 20.0
SETTINGS = (
    "from dataclasses import fields; from adapters.settings import variable_of; "
    "from domain.settings import Settings; print(*(variable_of(each.name) for each in "
    "fields(Settings)))"
)
"""A program that prints the settings a release has."""
LINK = re.compile(r"https?://\S+/s/\S+")
CODE = re.compile(r"^ +(\d{4} ?\d{4})\s*$", re.MULTILINE)


@dataclass(slots=True)
class Release:
    """One release that runs, and somebody who uses it."""

    mails: MailFolder
    browser: Browser
    token: str
    numbers: Iterator[int]

    async def session(self) -> UUID:
        """A new session, whose party is in its room with this browser."""
        address = f"supplier{next(self.numbers)}@bench.example"
        made = {"kind": "supplier", "name": "Supplier", "email": address}
        party_id = (await self._post("parties", made))["id"]
        issued = await self._post("public-sessions", {"template": TEMPLATE, "party": party_id})
        self.browser.forget()
        link = urlsplit(await self._mailed(address, LINK)).path
        await self.browser.post_form(f"{link}/code")
        code = await self._mailed(address, CODE)
        await self.browser.post_form(f"{link}/verify", {"code": code})
        return UUID(issued["id"])

    async def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token}"}
        sent = json.dumps(body).encode()
        answer = await self.browser.post_json(f"/api/v1/{what}", sent, headers)
        return dict(json.loads(answer.body))

    async def _mailed(self, address: str, what: re.Pattern[str]) -> str:
        """What the newest mail says, once there is one that says it."""
        async with asyncio.timeout(LONGEST_MAIL):
            while True:
                for mail in self.mails.mails(address):
                    if found := what.search(mail.text):
                        return found[found.re.groups]
                await asyncio.sleep(0.2)


@contextmanager
def running(root: Path, path: Path) -> Iterator[Release]:
    """Runs the release in `root` with its data in the new folder `path`."""
    folder = DataFolder(path)
    with ExitStack() as ends:
        postgres = start_postgres(path / "postgres")
        ends.callback(postgres.place.remove)
        ends.callback(postgres.stop)
        temporal = start_temporal(path / "temporal")
        ends.callback(temporal.stop)
        ports = Ports(free_port(), free_port(), free_port(), temporal.port, 0)
        environ = _known_to(root, environ_of(folder, ports, postgres.url))
        token = _set_up(root, folder, environ)
        programs = (mailbox_program(folder, ports), api_program(folder, ports, environ))
        for program in (*programs, worker_program(folder, environ)):
            child = replace(program, folder=root).start()
            ends.callback(child.stop, STOP)
            if program.name == "API":
                wait_until_ready(child, partial(is_up, ports.api), READY)
            elif program.name == "mailbox":
                wait_until_ready(child, partial(answers, ports.smtp), READY)
        yield Release(MailFolder(path / "mails"), Browser(LOOPBACK, ports.api), token, count())


def _known_to(root: Path, environ: dict[str, str]) -> dict[str, str]:
    """Without the settings that a release does not have: it would refuse them."""
    settings = {name for name in environ if name.startswith("GATEPASS_")}
    known = _python(root, environ, "-c", SETTINGS).split()
    unknown = settings - set(known)
    return {name: value for name, value in environ.items() if name not in unknown}


def _set_up(root: Path, folder: DataFolder, environ: dict[str, str]) -> str:
    """Keys, tables, a workspace with the pack, and a token, as its own command line makes them."""
    gatepass = partial(_gatepass, root, environ)
    gatepass("keyring", "create", str(folder.root_key))
    gatepass("migrate")
    gatepass("workspace", "create", "bench", "--name", "Bench")
    gatepass("load", str(_pack(folder.path)), "--workspace", "bench")
    made = gatepass(
        *("token", "create", "--workspace", "bench", "--name", "bench", "--print-only-token")
    )
    return made.strip()


def _pack(path: Path) -> Path:
    """What every release can load of our pack."""
    source, pack = HERE / "benchmarks/pack", path / "pack"
    wanted = [*(each for name in PACK for each in (source / name).iterdir())]
    for each in (*wanted, source / "session_templates" / f"{TEMPLATE}.yaml"):
        target = pack / each.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(each.read_bytes())
    return pack


def _gatepass(root: Path, environ: dict[str, str], *arguments: str) -> str:
    return _python(root, environ, "-m", "cli", *arguments)


def _python(root: Path, environ: dict[str, str], *arguments: str) -> str:
    """What a program of a release prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=root, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{root}: {' '.join(arguments)}: {done.stderr}")
    return done.stdout


async def _measured(older: Release, newer: Release, sessions: int) -> list[Row]:
    samples: dict[int, list[float]] = {id(older): [], id(newer): []}
    for number in range(WARM_UP + sessions):
        rooms = [(each, await each.session()) for each in (older, newer)]
        await asyncio.sleep(QUIET_AFTER)
        for task in party.ANSWERS:
            # Who goes first changes from session to session.
            for release, session in rooms if number % 2 else reversed(rooms):
                await asyncio.sleep(PAUSE)
                seconds = await party.complete(release.browser, session, task)
                if number >= WARM_UP:
                    samples[id(release)].append(1000 * seconds)
    for each in (older, newer):
        each.browser.close()
    before, now = samples[id(older)], samples[id(newer)]
    what, goal = "complete a task, one client", at_most_of_floor(1.1)
    return [
        Row(f"{what}, p50; floor: the older release", "ms", median(now), median(before), goal),
        Row(
            f"{what}, p90; floor: the older release",
            "ms",
            percentile(now, 90),
            percentile(before, 90),
        ),
    ]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.releases", description=__doc__)
    parser.add_argument("older", type=Path, help="folder with the sources of the older release")
    parser.add_argument("--sessions", type=int, default=40, help="of four tasks, in each release")
    options = parser.parse_args()
    beside = HERE / ".gatepass"
    beside.mkdir(exist_ok=True, mode=0o700)
    with (
        tempfile.TemporaryDirectory(prefix="releases-", dir=beside) as folder,
        running(options.older.resolve(), Path(folder, "older")) as older,
        running(HERE, Path(folder, "newer")) as newer,
    ):
        rows = asyncio.run(_measured(older, newer, options.sessions))
    sys.stdout.write(f"{table(rows)}\n")


if __name__ == "__main__":
    main()
