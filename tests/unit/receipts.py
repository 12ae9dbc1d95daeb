"""Receipts to test with."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.receipt import Proof, Receipt, ReceiptLine, ReceiptTask

AT = datetime(2026, 12, 6, 14, 5, 9, tzinfo=UTC)


def hash_of(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def root_of(words: str) -> str:
    return base64.b64encode(bytes.fromhex(hash_of(words))).decode()


def proof(**changes: Any) -> Proof:
    signature = base64.b64encode(b"s" * 68).decode()
    given: dict[str, Any] = {
        "index": 1041,
        "size": 1187,
        "root": root_of("root"),
        "leaf": hash_of("leaf"),
        "path": tuple(hash_of(f"path {number}") for number in range(11)),
        "checkpoint": f"g.test/acme\n1187\n{root_of('root')}\n\n— g.test/acme {signature}\n",
        "key": "g.test/acme+6e3a11f0+" + base64.b64encode(b"\x01" + b"k" * 32).decode(),
    }
    return Proof(**given | changes)


def task(title: str = "Terms of use", **changes: Any) -> ReceiptTask:
    given: dict[str, Any] = {
        "kind": "acknowledgment",
        "completed_at": AT - timedelta(minutes=1),
        "lines": (
            ReceiptLine("Version", "3"),
            ReceiptLine("SHA-256", hash_of(title), is_hash=True),
        ),
    }
    return ReceiptTask(title, **given | changes)


def receipt(**changes: Any) -> Receipt:
    given: dict[str, Any] = {
        "workspace_name": "Acme Ltd",
        "session_title": "Vendor intake",
        "party_name": "Anna Weber",
        "reference": "019a2c1e-7c00-7aaa-8bbb-0123456789ab",
        "issued_at": AT - timedelta(days=3),
        "completed_at": AT,
        "verified_at": AT - timedelta(minutes=20),
        "tasks": (task(), task("Company profile", kind="form")),
        "proof": proof(),
        "locale": "en",
        "zone": "Europe/Berlin",
    }
    return Receipt(**given | changes)
