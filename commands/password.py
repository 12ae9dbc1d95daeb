"""Passwords of members: what one must be like, and how it is kept (OWASP ASVS 5.0, 6.2).

Hashing takes about 50 ms on purpose, so it happens in a thread and outside every transaction.
"""

import asyncio
import unicodedata
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from domain.member_errors import PasswordFault, PasswordRefused

LONGEST = 128
NOBODYS = "nobody has this password"


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(NOBODYS)


def _plain(password: str) -> str:
    """The same letters typed on another keyboard are the same password (NIST SP 800-63B-4)."""
    return unicodedata.normalize("NFKC", password)


async def hashed(password: str) -> str:
    """What is kept of a password: an argon2id hash."""
    return await asyncio.to_thread(_hasher().hash, _plain(password))


async def is_right(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept; as slow for somebody who has none."""
    return await asyncio.to_thread(_verified, _plain(password)[:LONGEST], kept)


def _verified(password: str, kept: str) -> bool:
    try:
        return _hasher().verify(password, kept or _nobodys_hash()) and bool(kept)
    except UnknownHashError:
        return False


def refuse_weak(password: str, shortest: int, *known: str) -> None:
    """Raises `PasswordRefused` naming the limit; `known` is what everybody may know of the person.

    No rule about kinds of characters: they make passwords worse (NIST SP 800-63B-4, 3.1.1.2).
    """
    if not shortest <= len(_plain(password)) <= LONGEST:
        raise refused(
            "password", PasswordFault.LENGTH, f"must have {shortest} to {LONGEST} characters"
        )
    plain = password.casefold()
    parts = {part for each in known for part in (each, each.partition("@")[0])}
    if len(set(plain)) < 4 or any(plain == each.casefold() for each in parts):
        raise refused("password", PasswordFault.GUESSABLE, "is too easy to guess")


def refused(field: str, fault: PasswordFault, message: str) -> PasswordRefused:
    """The refusal of one field, for programs and for pages."""
    return PasswordRefused({field: message}, {field: fault})
