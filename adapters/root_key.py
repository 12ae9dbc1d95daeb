"""Where the root key comes from: a file, the environment, or a command that asks a key service.

It is never in the database nor in its backups. Each version is one line, `version base64-key`, and
is an epoch of the keyring: what it wrapped opens as long as the version is kept, and never again.
"""

import base64
import os
import secrets
import shlex
import stat
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from typing_extensions import override

from adapters.aead import KEY_BYTES, LARGEST_NUMBER
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
        by_hand = f"append `{version} ` and the output of `openssl rand -base64 32` as a line"
        self._replace([*self._lines(), _new_line(version)], by_hand)

    @override
    def remove(self, version: int) -> None:
        kept = [each for each in self._lines() if int(each.split()[0]) != version]
        self._replace(kept, f"remove the line of version {version}")

    def _lines(self) -> list[str]:
        self.read()
        text = self.path.read_text(encoding="utf-8")
        return [f"{each}\n" for each in text.splitlines() if each.strip()]

    def _replace(self, lines: list[str], by_hand: str) -> None:
        """Writes a whole new file and then takes the old one's name, so that none is ever half."""
        # A link stays a link: what it points to is replaced.
        place = self.path.resolve()
        try:
            _write_beside(place, lines)
        except OSError as error:
            # As where a single file is mounted into a container.
            raise KeyFileError(
                f"{self.path} cannot be replaced ({error.strerror}). There, {by_hand} by hand, and "
                "run this again."
            ) from error


def _write_beside(place: Path, lines: list[str]) -> None:
    beside = place.with_name(f"{place.name}.new")
    beside.unlink(missing_ok=True)
    try:
        _write(_opened_like(place, beside), lines)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _opened_like(place: Path, beside: Path) -> int:
    """Whoever runs this command, the processes must be able to read the new file as the old one."""
    before = place.stat()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        os.fchown(descriptor, before.st_uid, before.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


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
        raise KeyFileError(
            f"Add `,{version}:` and what `openssl rand -base64 32` prints to GATEPASS_ROOT_KEY of "
            "every process, this one's too, restart them all, and run this again."
        )

    @override
    def remove(self, version: int) -> None:
        raise KeyFileError(
            f"Nothing needs version {version} any more. Remove it from GATEPASS_ROOT_KEY wherever "
            "it is kept, restart the processes, and run this again."
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
            "GATEPASS_ROOT_KEY_COMMAND prints it too wherever a process runs, and run this again."
        )

    @override
    def remove(self, version: int) -> None:
        raise KeyFileError(
            f"Nothing needs version {version} any more. Have the key service destroy it, so that "
            "GATEPASS_ROOT_KEY_COMMAND no longer prints it, and run this again."
        )


def _versions(lines: Iterable[str], where: str) -> dict[int, bytes]:
    pairs = [each.split() for each in lines if each.strip()]
    try:
        found = [(int(version), base64.b64decode(key, validate=True)) for version, key in pairs]
    except ValueError:
        # What is wrong with which line is not told: it may be the key.
        raise KeyFileError(f"{where} must have lines of `version base64-key`") from None
    if len(dict(found)) < len(found):
        raise KeyFileError(f"{where} must name each version once")
    return _checked(dict(found), where)


def _checked(versions: Mapping[int, bytes], where: str) -> dict[int, bytes]:
    if not versions or any(len(key) != KEY_BYTES for key in versions.values()):
        raise KeyFileError(f"{where} must hold at least one key of {KEY_BYTES} bytes")
    if not 1 <= min(versions) <= max(versions) <= LARGEST_NUMBER:
        raise KeyFileError(f"{where} must number its versions from 1")
    return dict(versions)
