"""Authenticated encryption of small values, in Tink's wire format for AES-GCM keys.

A record is `0x01 | key id (4 bytes) | nonce (12) | ciphertext | tag (16)`, so that any Tink library
opens what we sealed with the same key. The key is chosen by the id in the record and never by
trying: GCM does not commit to its key. Sources: NIST SP 800-38D; Tink's wire format, prefix TINK.
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
PREFIX = 0x01
PREFIX_BYTES = 5
NONCE_BYTES = 12
TAG_BYTES = 16
FORMAT = "v1"
LARGEST_NUMBER = 2**32 - 1


class Undecipherable(Exception):
    """A record does not open: another key, another place, or changed. Which one is not told."""


def associated(*parts: str) -> bytes:
    """What a record is bound to, unambiguously: each part behind its length (4 bytes)."""
    encoded = [each.encode() for each in (FORMAT, *parts)]
    return b"".join(len(each).to_bytes(4, "big") + each for each in encoded)


def subkey(key: bytes, purpose: str) -> bytes:
    """The key for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"gatepass/{purpose}".encode()).derive(key)


def new_key() -> bytes:
    """Thirty-two random bytes."""
    return os.urandom(KEY_BYTES)


def new_number() -> int:
    """A random key id from 1 to 2^32 - 1, as Tink gives its keys."""
    return int.from_bytes(os.urandom(4), "big") or 1


def number_of(record: bytes) -> int:
    """The id of the key a record was sealed with; raises `Undecipherable`."""
    if len(record) < PREFIX_BYTES + NONCE_BYTES + TAG_BYTES or record[0] != PREFIX:
        raise Undecipherable
    return int.from_bytes(record[1:PREFIX_BYTES], "big")


@dataclass(frozen=True, slots=True)
class RecordKey:
    """One AES-256-GCM key and its id."""

    number: int
    key: bytes = field(repr=False)

    def seal(self, clear: bytes, bound_to: bytes) -> bytes:
        """The record of a value, bound to its place."""
        nonce = os.urandom(NONCE_BYTES)
        prefix = bytes([PREFIX]) + self.number.to_bytes(4, "big")
        return prefix + nonce + AESGCM(self.key).encrypt(nonce, clear, bound_to)

    def open(self, record: bytes, bound_to: bytes) -> bytes:
        """The value of a record; raises `Undecipherable`."""
        if number_of(record) != self.number:
            raise Undecipherable
        body = record[PREFIX_BYTES:]
        try:
            return AESGCM(self.key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound_to)
        except InvalidTag as error:
            raise Undecipherable from error
