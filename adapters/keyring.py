"""Secrets derived from the root key: links, codes, cookies and the digests they are found by.

The root key lives in a file outside the database, one line `version base64` for each version. Rows
carry the version they were made under, so that an old link goes on working after a new version is
added (RELIABILITY of secrets: looked-up ones are stored as HMAC, none is stored readable).
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pyotp

KEY_BYTES = 32
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
LINK_CHARACTERS = 32
LINK_BYTES = 20
"""160 bits, 32 characters of base32: a link survives capitals, wrapping and punctuation."""


class KeyFileError(Exception):
    """The root key file is missing or unreadable; the text says what to do."""


def create_key_file(path: Path) -> None:
    """Creates a root key for its owner's eyes alone; raises `KeyFileError` if it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"1 {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
            file.write(line)
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists already; a root key is never overwritten") from error


def read_key_file(path: Path) -> "Keyring":
    """The keyring of a root key file; raises `KeyFileError`."""
    try:
        lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
        versions = {int(version): base64.b64decode(key, validate=True) for version, key in lines}
    except OSError as error:
        raise KeyFileError(
            f"No root key at {path}: make one with `gatepass keyring create {path}`"
        ) from error
    except ValueError as error:
        raise KeyFileError(f"{path} must have lines of `version base64-key`") from error
    if not versions or any(len(key) != KEY_BYTES for key in versions.values()):
        raise KeyFileError(f"{path} must hold at least one key of {KEY_BYTES} bytes")
    return Keyring(versions)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The versions of the root key; the highest makes new secrets."""

    versions: Mapping[int, bytes]

    @property
    def current(self) -> int:
        """The version under which new secrets are made."""
        return max(self.versions)

    def _mac(self, version: int, purpose: str, *parts: bytes) -> bytes:
        """HMAC-SHA256 over length-prefixed parts, under a key of its own for each purpose."""
        subkey = hmac.digest(self.versions[version], b"gatepass/" + purpose.encode(), "sha256")
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(subkey, message, "sha256")

    def link_token(self, session_id: UUID, epoch: int, version: int) -> str:
        """The locator of a session's link; another epoch makes another link."""
        raw = self._mac(version, "link", session_id.bytes, epoch.to_bytes(4, "big"))
        return base64.b32encode(raw[:LINK_BYTES]).decode().rstrip("=").lower()

    def code(self, session_id: UUID, counter: int, version: int, digits: int) -> str:
        """The one-time code of a counter (HOTP, RFC 4226)."""
        secret = base64.b32encode(self._mac(version, "code", session_id.bytes)).decode()
        return pyotp.HOTP(secret, digits=digits).at(counter)

    def binding_secret(self, binding_id: UUID, door: str, version: int) -> str:
        """The cookie of a bound browser: the same again for the same door."""
        raw = self._mac(version, "binding", binding_id.bytes, door.encode())
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def digest(self, purpose: str, secret: str, version: int | None = None) -> str:
        """What is stored of a secret that is looked up later."""
        return self._mac(version or self.current, f"digest/{purpose}", secret.encode()).hex()

    def digests(self, purpose: str, secret: str) -> list[str]:
        """The digests of a secret under every version."""
        return [self.digest(purpose, secret, version) for version in self.versions]

    def address_digest(self, email: str) -> str:
        """An address's HMAC, whatever its capitals; always under the first version."""
        return self._mac(min(self.versions), "address", email.casefold().encode()).hex()[:32]


def link_digest(token: str) -> str:
    """What a link is stored as. The token is a MAC already, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_link_token(path_part: str) -> str:
    """The token in whatever a mail client made of it: capitals, spaces, soft breaks."""
    letters = (each for each in path_part.lower() if each in BASE32)
    # What a mail client appended comes behind the token and is not part of it.
    return "".join(letters)[:LINK_CHARACTERS]


def same_code(given: str, expected: str) -> bool:
    """Compares a typed code in constant time, whatever it is grouped with."""
    digits = "".join(each for each in given if each.isascii() and each.isdigit())
    return hmac.compare_digest(digits.encode(), expected.encode())
