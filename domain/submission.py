"""What the audit tree commits to of a submission: one digest over everything that was captured."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from domain.audit_leaf import canonical_json

SALT_BYTES: Final = 16


def submission_sha256(salt: bytes, body: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """Hex of SHA-256 over the canonical JSON of body, evidence and salt (16 bytes, in hex).

    The salt is random, and erased with the body: nobody finds answers by guessing them.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a submission's salt has {SALT_BYTES} bytes")
    captured = {"body": body, "evidence": evidence, "salt": salt.hex()}
    return hashlib.sha256(canonical_json(captured).encode()).hexdigest()
