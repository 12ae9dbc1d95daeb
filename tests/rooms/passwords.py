"""Passwords that cost next to nothing to hash, and refusals that leave at once.

What is tested is never how slow argon2 is; how long a refusal waits is tested where it matters.
"""

from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from commands import answer_time, password


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Argon2 with the least cost and no wait after a wrong one, in this process."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    kept, password._hasher = password._hasher, lambda: cheap  # type: ignore[assignment]  # a function as it is
    password._nobodys_hash.cache_clear()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(answer_time, "ANSWERS_AFTER", 0.0)
        yield
    password._hasher = kept
