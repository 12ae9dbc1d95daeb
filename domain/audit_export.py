"""How the audit log and a party's receipt are written for outsiders (N10).

Both are JSON Lines of canonical JSON, each line with its newline; `docs/audit-log.md` says what
they mean and `adapters/audit_verify.py` checks them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.audit_leaf import Leaf, canonical_json, instant_text

LOG_FORMAT: Final = "gatepass-audit/1"
RECEIPT_FORMAT: Final = "gatepass-receipt/1"


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """Whose log follows: `key` is the vkey, `size` what the note `checkpoint` was signed over."""

    workspace: str
    origin: str
    key: str
    exported_at: datetime
    size: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What a leaf's commitment was made of: the salt and the details' exact text."""

    salt: bytes
    details: str


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    """An event that a receipt proves; `opening` is None when its details are erased."""

    index: int
    leaf: Leaf
    opening: Opening | None
    proof: Sequence[bytes]


def header_line(header: ExportHeader) -> str:
    """The first line of an export."""
    return _line(
        {
            "format": LOG_FORMAT,
            "workspace": header.workspace,
            "origin": header.origin,
            "key": header.key,
            "exported_at": instant_text(header.exported_at),
            "size": header.size,
            "checkpoint": header.checkpoint,
        }
    )


def event_line(index: int, leaf: Leaf, leaf_hash: bytes, opening: Opening | None) -> str:
    """One event, in the order of the indices.

    `leaf_hash` is the hash that the sequencer stored, and not one made of the leaf again: an event
    that was changed in its table only is then found by its very index.
    """
    hashed = {"index": index, "leaf": leaf.as_json(), "hash": leaf_hash.hex()}
    return _line(hashed | _opened(opening))


def checkpoint_line(note: str) -> str:
    """A checkpoint, directly behind the event that completes its size."""
    return _line({"checkpoint": note})


def end_line(size: int) -> str:
    """The last line of an export."""
    return _line({"end": size})


def receipt_text(key: str, checkpoint: str, events: Sequence[ReceiptEvent]) -> str:
    """A receipt: the events, in the order of their indices, proved by one checkpoint."""
    return _line(
        {
            "format": RECEIPT_FORMAT,
            "key": key,
            "checkpoint": checkpoint,
            "events": [_receipt_event(each) for each in events],
        }
    )


def _receipt_event(event: ReceiptEvent) -> dict[str, object]:
    proof = [each.hex() for each in event.proof]
    proved = {"index": event.index, "leaf": event.leaf.as_json(), "proof": proof}
    return proved | _opened(event.opening)


def _opened(opening: Opening | None) -> dict[str, str | None]:
    if opening is None:
        return {"salt": None, "details": None}
    return {"salt": opening.salt.hex(), "details": opening.details}


def _line(value: object) -> str:
    return canonical_json(value) + "\n"
