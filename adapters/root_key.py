"""Where the root key comes from: a file, the environment, or a command that asks a key service.

It is never in the database nor in its backups. Each version is one line, `version base64-key`, and
is an epoch of the keyring: what it wrapped opens as long as the version is kept, and never again.
"""

import base64
import os
import secrets
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from typing_extensions import override

from adapters.aead import KEY_BYTES
from domain.settings import Settings

COMMAND_SECONDS = 30


class KeyFileError(Exception):
    """The root key is missing, unreadable or cannot be changed here; the text says what to do."""


class RootKeySource(Protocol):
    """One place where versions of the root key are kept."""

    def read(self) -> dict[int, bytes]:
        """Every version; raises `KeyFileError`."""

    def add(self, version: int) -> None:
        """Makes a new version and keeps it; raises `KeyFileError`."""

    def remove(self, version: int) -> None:
        """Destroys a version; raises `KeyFileError`."""


def root_key_source(settings: Settings) -> RootKeySource:
    """The source the settings name: the command, else the environment, else the file."""
    if settings.root_key_command:
        return RootKeyCommand(settings.root_key_command)
    if settings.root_key:
        return RootKeyText(settings.root_key)
    return RootKeyFile(Path(settings.root_key_file))


def create_key_file(path: Path) -> None:
    """Creates a root key for its owner's eyes alone; raises `KeyFileError` if it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), [_new_line(1)])
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists already; a root key is never overwritten") from error


def _new_line(version: int) -> str:
    return f"{version} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"


def _write(descriptor: int, lines: Iterable[str]) -> None:
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class RootKeyFile(RootKeySource):
    """A file that only its owner may read, kept and backed up apart from the database."""

    path: Path

    @override
    def read(self) -> dict[int, bytes]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise KeyFileError(
                f"No root key at {self.path}: make one with `gatepass keyring create {self.path}`"
            ) from error
        return _versions(text.splitlines(), str(self.path))

    @override
    def add(self, version: int) -> None:
        self._replace([*self._lines(), _new_line(version)])

    @override
    def remove(self, version: int) -> None:
        self._replace([each for each in self._lines() if int(each.split()[0]) != version])

    def _lines(self) -> list[str]:
        self.read()
        text = self.path.read_text(encoding="utf-8")
        return [f"{each}\n" for each in text.splitlines() if each.strip()]

    def _replace(self, lines: list[str]) -> None:
        """Writes a whole new file and then takes the old one's name, so that none is ever half."""
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            beside.unlink(missing_ok=True)
            _write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), lines)
            beside.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise KeyFileError(f"{self.path} cannot be written: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class RootKeyText(RootKeySource):
    """Versions in the environment: `1:base64,2:base64`, put there by whoever runs the processes."""

    text: str

    @override
    def read(self) -> dict[int, bytes]:
        lines = [each.replace(":", " ", 1) for each in self.text.split(",")]
        return _versions(lines, "GATEPASS_ROOT_KEY")

    @override
    def add(self, version: int) -> None:
        entry = _new_line(version).strip().replace(" ", ":", 1)
        raise KeyFileError(
            f"Add a version to GATEPASS_ROOT_KEY of every process, restart them, and run this "
            f"again. A fresh one: {entry}"
        )

    @override
    def remove(self, version: int) -> None:
        raise KeyFileError(
            f"Remove version {version} from GATEPASS_ROOT_KEY wherever it is kept, restart the "
            "processes, and run this again."
        )


@dataclass(frozen=True, slots=True)
class RootKeyCommand(RootKeySource):
    """A command that prints the lines, such as one that has a key service (KMS) decrypt them."""

    command: str

    @override
    def read(self) -> dict[int, bytes]:
        try:
            found = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                shlex.split(self.command),
                capture_output=True,
                timeout=COMMAND_SECONDS,
                check=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            # Neither its output nor its errors are shown: they may hold the key.
            kind = type(error).__name__
            raise KeyFileError(f"GATEPASS_ROOT_KEY_COMMAND failed ({kind})") from None
        lines = found.stdout.decode(errors="replace").splitlines()
        return _versions(lines, "The output of GATEPASS_ROOT_KEY_COMMAND")

    @override
    def add(self, version: int) -> None:
        raise KeyFileError(
            f"Have the key service keep a version {version} (32 random bytes), so that "
            "GATEPASS_ROOT_KEY_COMMAND prints it too, and run this again."
        )

    @override
    def remove(self, version: int) -> None:
        raise KeyFileError(
            f"Have the key service destroy version {version}, so that GATEPASS_ROOT_KEY_COMMAND "
            "no longer prints it, and run this again."
        )


def _versions(lines: Iterable[str], where: str) -> dict[int, bytes]:
    pairs = [each.split() for each in lines if each.strip()]
    try:
        versions = {int(version): base64.b64decode(key, validate=True) for version, key in pairs}
    except ValueError as error:
        raise KeyFileError(f"{where} must have lines of `version base64-key`") from error
    return _checked(versions, where)


def _checked(versions: Mapping[int, bytes], where: str) -> dict[int, bytes]:
    if not versions or any(len(key) != KEY_BYTES for key in versions.values()):
        raise KeyFileError(f"{where} must hold at least one key of {KEY_BYTES} bytes")
    if min(versions) < 1:
        raise KeyFileError(f"{where} must number its versions from 1")
    return dict(versions)
