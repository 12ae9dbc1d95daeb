"""Signed heads of the audit tree: C2SP tlog-checkpoint in a C2SP signed-note, Ed25519 (N10).

A key has a name, which is also the origin of the log that it signs and of no other. Sources:
c2sp.org/signed-note, c2sp.org/tlog-checkpoint, RFC 8032.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED_BYTES: Final = 32
ROOT_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
ED25519: Final = b"\x01"
"""The signature type of signed-note, before the public key wherever that is written."""


class CheckpointInvalid(Exception):
    """A note is malformed or not signed with the key that it should be."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: after `size` events its root was this. `note` is the proof."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Signer:
    """A log's signing key; `seed` is the private key of RFC 8032, 32 bytes."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise ValueError("a key's name is not empty and has neither spaces nor a plus")
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes")

    @property
    def vkey(self) -> str:
        """The public key as others are given it: `name+key id in hex+base64`."""
        encoded = ED25519 + self._private.public_key().public_bytes_raw()
        return f"{self.name}+{_key_id(self.name, encoded).hex()}+{_base64(encoded)}"

    def sign(self, origin: str, size: int, root: bytes) -> str:
        """The signed note that the log `origin` had this root after `size` events.

        Raises `ValueError` for what no reader would accept, another log's origin among it.
        """
        if origin != self.name:
            raise ValueError("a key signs the log that it is named for")
        if size < 0 or len(root) != ROOT_BYTES:
            raise ValueError(f"a checkpoint has a size and a root of {ROOT_BYTES} bytes")
        text = f"{origin}\n{size}\n{_base64(root)}\n"
        encoded = ED25519 + self._private.public_key().public_bytes_raw()
        signature = _key_id(self.name, encoded) + self._private.sign(text.encode())
        return f"{text}\n— {self.name} {_base64(signature)}\n"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def read_checkpoint(note: str, vkey: str) -> Checkpoint:
    """The checkpoint of a note signed with the key; raises `CheckpointInvalid`.

    Extension lines, which C2SP advises against, are refused.
    """
    lines = signed_text(note, vkey).split("\n")
    if len(lines) != len(("origin", "size", "root", "")):
        raise CheckpointInvalid("a checkpoint has three lines")
    origin, size, root, _ = lines
    if origin != vkey.partition("+")[0]:
        raise CheckpointInvalid("the origin is not the key's name")
    if not _is_decimal(size):
        raise CheckpointInvalid("the size is not a whole number")
    decoded = _from_base64(root)
    if len(decoded) != ROOT_BYTES:
        raise CheckpointInvalid(f"a root has {ROOT_BYTES} bytes")
    return Checkpoint(origin, int(size), decoded, note)


def signed_text(note: str, vkey: str) -> str:
    """A note's text, which the key has signed; raises `CheckpointInvalid`.

    Signatures of other keys are passed over, as the format demands; one of this key that does not
    verify refuses the note.
    """
    name, key_id, public = _public_key(vkey)
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n") or not _is_plain(note):
        raise CheckpointInvalid("not a signed note")
    ours = [
        signature[KEY_ID_BYTES:]
        for signer, signature in map(_signature, signatures[:-1].split("\n"))
        if (signer, signature[:KEY_ID_BYTES]) == (name, key_id)
    ]
    if not ours:
        raise CheckpointInvalid("not signed with this key")
    for each in ours:
        try:
            public.verify(each, f"{text}\n".encode())
        except InvalidSignature as error:
            raise CheckpointInvalid("the signature is not of this text") from error
    return f"{text}\n"


def fingerprint(vkey: str) -> str:
    """What people compare and companies publish: hex of SHA-256 over the public key's 32 bytes."""
    _, _, public = _public_key(vkey)
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def _public_key(vkey: str) -> tuple[str, bytes, Ed25519PublicKey]:
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _from_base64(encoded)
    if not _is_name(name) or raw[:1] != ED25519 or _key_id(name, raw).hex() != key_id:
        raise CheckpointInvalid("not a verifier key: name+key id+base64")
    try:
        return name, _key_id(name, raw), Ed25519PublicKey.from_public_bytes(raw[1:])
    except ValueError as error:
        raise CheckpointInvalid("not an Ed25519 key") from error


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = _from_base64(encoded)
    if dash != "—" or not _is_name(name) or len(signature) <= KEY_ID_BYTES:
        raise CheckpointInvalid("a signature line is malformed")
    return name, signature


def _key_id(name: str, encoded: bytes) -> bytes:
    return hashlib.sha256(f"{name}\n".encode() + encoded).digest()[:KEY_ID_BYTES]


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not any(c.isspace() or c == "+" for c in name)


def _is_decimal(size: str) -> bool:
    digits = size.isascii() and size.isdigit() and len(size) < len(str(2**64))
    return digits and str(int(size)) == size


def _is_plain(note: str) -> bool:
    try:
        note.encode()
    except UnicodeEncodeError:
        return False
    return all(c == "\n" or c >= " " for c in note)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _from_base64(encoded: str) -> bytes:
    """Strict: one text for each value."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise CheckpointInvalid("not base64") from error
    if _base64(raw) != encoded:
        raise CheckpointInvalid("not base64 as it is written")
    return raw
