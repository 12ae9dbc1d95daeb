"""The keyring in memory: the root key's versions, and what is derived and unwrapped with them.

Links, codes, cookies and digests are derived (HMAC), never stored readable. Rows carry the version
they were made under, so that an old link goes on working when the root key's version that it came
from is long destroyed: what is needed for that is kept wrapped by a newer one.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import pyotp

from adapters.aead import KEY_BYTES, RecordKey, Undecipherable, number_of, subkey
from adapters.root_key import KeyFileError, RootKeySource, root_key_source
from domain.address import without_capitals
from domain.settings import Settings

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
LINK_CHARACTERS = 32
LINK_BYTES = 20
"""160 bits, 32 characters of base32: a link survives capitals, wrapping and punctuation."""
LOOK_AGAIN_AFTER = 5.0
"""Seconds until the root key is read again for a version that it did not have."""
PURPOSES = (
    "link",
    "code",
    "binding",
    "address",
    "digest/token",
    "digest/binding",
    "digest/door",
    "later",
)
"""What is derived straight from the root key. Purposes that come later are derived from `later`."""


def open_keyring(settings: Settings) -> "Keyring":
    """The keyring of the root key that the settings name; raises `KeyFileError`."""
    source = root_key_source(settings)
    return Keyring(source.read(), source)


@dataclass(frozen=True, slots=True)
class Derivation:
    """One version of the keys from which secrets are derived: one for each purpose."""

    subkeys: Mapping[str, bytes]

    @classmethod
    def of_root(cls, root: bytes) -> "Derivation":
        """The subkeys of a root key. None of them leads back to it."""
        return cls(
            {each: hmac.digest(root, f"gatepass/{each}".encode(), "sha256") for each in PURPOSES}
        )

    def pack(self) -> bytes:
        """The subkeys as bytes, to be kept wrapped."""
        return b"".join(self.subkeys[each] for each in PURPOSES)

    @classmethod
    def unpack(cls, packed: bytes) -> "Derivation":
        """The reverse of `pack`."""
        starts = range(0, len(packed), KEY_BYTES)
        return cls(
            {
                purpose: packed[at : at + KEY_BYTES]
                for purpose, at in zip(PURPOSES, starts, strict=True)
            }
        )

    def key(self, purpose: str) -> bytes:
        """The key for one purpose."""
        known = self.subkeys.get(purpose)
        return known or hmac.digest(self.subkeys["later"], purpose.encode(), "sha256")


class Keyring:
    """What one process knows. It learns more (`adopt_…`); only destroyed roots are forgotten."""

    def __init__(self, roots: Mapping[int, bytes], source: RootKeySource | None = None) -> None:
        """Takes the root key's versions, and where to look for newer ones."""
        self.source = source
        self.roots: Mapping[int, bytes] = dict(roots)
        self.is_ready = True
        self.reads_clear = False
        self.temporal: dict[int, RecordKey] = {}
        self.current_temporal = 0
        self._derivations = {each: Derivation.of_root(key) for each, key in roots.items()}
        self._current = 0
        self._looked_for: dict[int, float] = {}

    @property
    def current(self) -> int:
        """The version under which new secrets are made."""
        return self._current or max(self._derivations)

    @property
    def versions(self) -> list[int]:
        """Every version under which secrets may have been made."""
        return sorted(self._derivations)

    @property
    def newest(self) -> int:
        """The root key's newest version, which other processes may not have yet."""
        return max(self.roots)

    @property
    def epoch(self) -> int:
        """The version of the root key that wraps new keys: one that every process has."""
        return self.current if self.current in self.roots else self.newest

    def look_again(self) -> None:
        """Reads the root key anew: a version may have been added or destroyed meanwhile.

        Raises `KeyFileError`, also for a version that has become another key: what it wrapped would
        not open any more.
        """
        if self.source is None:
            return
        found = self.source.read()
        changed = [each for each in found if self.roots.get(each, found[each]) != found[each]]
        if changed:
            raise KeyFileError(f"Version {changed[0]} of the root key was replaced by another key")
        self.roots = found
        for each, key in found.items():
            self._derivations.setdefault(each, Derivation.of_root(key))

    def derivation(self, version: int) -> Derivation:
        """One version's subkeys; raises `Undecipherable` for one that this process lacks."""
        if version not in self._derivations:
            self._look_for(version)
        try:
            return self._derivations[version]
        except KeyError as error:
            raise Undecipherable from error

    def adopt_derivation(self, version: int, packed: bytes) -> None:
        """Learns a version that the root key itself may have no more."""
        self._derivations.setdefault(version, Derivation.unpack(packed))

    def make_current(self, version: int) -> None:
        """New secrets are made under this version from now on."""
        self._current = version

    def wrap(self, clear: bytes, bound_to: bytes, epoch: int | None = None) -> bytes:
        """A key wrapped by the root key's newest version, or by another."""
        return self._wrapping(epoch or self.epoch).seal(clear, bound_to)

    def unwrap(self, record: bytes, bound_to: bytes) -> bytes:
        """The key in a record; raises `Undecipherable`, as when its epoch was destroyed."""
        epoch = number_of(record)
        if epoch not in self.roots:
            self._look_for(epoch)
        if epoch not in self.roots:
            raise Undecipherable
        return self._wrapping(epoch).open(record, bound_to)

    def _look_for(self, version: int) -> None:
        """Reads the root key for a version that was met; not again and again when it is missing."""
        now = time.monotonic()
        if now - self._looked_for.get(version, -LOOK_AGAIN_AFTER) < LOOK_AGAIN_AFTER:
            return
        self._looked_for[version] = now
        # What cannot be read now may be being replaced: what is known already goes on working.
        with suppress(KeyFileError):
            self.look_again()

    def _wrapping(self, epoch: int) -> RecordKey:
        return RecordKey(epoch, subkey(self.roots[epoch], "wrap"))

    def _mac(self, version: int, purpose: str, *parts: bytes) -> bytes:
        """HMAC-SHA256 over length-prefixed parts, under a key of its own for each purpose."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self.derivation(version).key(purpose), message, "sha256")

    def link_token(self, session_id: UUID, epoch: int, version: int) -> str:
        """The locator of a session's link; another epoch makes another link."""
        raw = self._mac(version, "link", session_id.bytes, epoch.to_bytes(4, "big"))
        return base64.b32encode(raw[:LINK_BYTES]).decode().rstrip("=").lower()

    def member_link_token(self, link_id: UUID, version: int) -> str:
        """The token of a link to a member: good once, and derived when it is mailed."""
        raw = self._mac(version, "member-link", link_id.bytes)
        return base64.b32encode(raw[:LINK_BYTES]).decode().rstrip("=").lower()

    def member_token(self, kind: str, token_id: UUID, version: int) -> str:
        """A member's access or refresh token: derived, so that an honest repetition is told it."""
        raw = self._mac(version, "member-token", kind.encode(), token_id.bytes)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

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
        return [self.digest(purpose, secret, version) for version in self._derivations]

    def address_digest(self, email: str) -> str:
        """An address's HMAC, whatever its capitals; always under the first version."""
        return self._mac(min(self.versions), "address", without_capitals(email).encode()).hex()[:32]


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
