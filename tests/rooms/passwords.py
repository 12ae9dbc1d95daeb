"""Passwords that cost next to nothing to hash: what is tested is never how slow argon2 is."""

from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from commands import password


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Argon2 with the least cost, in this process."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    kept, password._hasher = password._hasher, lambda: cheap  # type: ignore[assignment]  # a function as it is
    password._nobodys_hash.cache_clear()
    yield
    password._hasher = kept
