"""The demo's data folder: one demo at a time, and what it leaves for scripts and its next start."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another demo has this folder; the text says where it answers."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What scripts read from `demo.json`: addresses, and a bearer token of the API."""

    api: str
    token: str
    mailbox: str
    temporal: str
    temporal_ui: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder that a demo keeps everything in."""

    path: Path

    @property
    def root_key(self) -> Path:
        """The root key, outside the database."""
        return self.path / "root.key"

    @property
    def objects(self) -> Path:
        """Uploaded files, encrypted."""
        return self.path / "objects"

    @property
    def token(self) -> Path:
        """The demo's own bearer token."""
        return self.path / "token"

    @property
    def admin_link(self) -> Path:
        """The link with which the first administrator chooses a password."""
        return self.path / "admin-link"

    @property
    def addresses(self) -> Path:
        """Addresses of the running demo, there once everything is up."""
        return self.path / "demo.json"

    @property
    def prepared(self) -> Path:
        """There once the example is loaded and the first session issued."""
        return self.path / "prepared"

    def log_of(self, name: str) -> Path:
        """The log of a child."""
        return self.path / "logs" / f"{name}.log"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the folder alone, until killed at the latest; raises `AlreadyRunningError`."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunningError(self._where()) from None
            self.addresses.unlink(missing_ok=True)
            yield

    def forget_example(self) -> None:
        """Prepare everything again: the database that had it is gone."""
        self.prepared.unlink(missing_ok=True)
        self.token.unlink(missing_ok=True)
        self.admin_link.unlink(missing_ok=True)

    def publish(self, addresses: Addresses) -> None:
        """Write `demo.json`, whole at once."""
        unfinished = self.addresses.with_suffix(".part")
        write_private(unfinished, json.dumps(asdict(addresses), indent=2) + "\n")
        unfinished.rename(self.addresses)

    def _where(self) -> str:
        if not self.addresses.exists():
            return f"Gatepass is already starting on {self.path}."
        known = json.loads(self.addresses.read_text())
        return (
            f"Gatepass is already running on {self.path}:\n"
            f"  API      {known['api']}\n"
            f"  Mailbox  {known['mailbox']}"
        )


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
