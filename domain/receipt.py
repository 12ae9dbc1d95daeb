"""What a party can show afterwards: what it did, when, and the proof that the log says so."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One fact of a task, its label in the receipt's language; a hash is written to be copied."""

    label: str
    value: str
    is_hash: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptTask:
    """One task that was completed; `kind` is the task's, such as "acknowledgment"."""

    title: str
    kind: str
    completed_at: datetime
    lines: tuple[ReceiptLine, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """That the completion is an entry of the workspace's audit log (RFC 9162 2.1.3).

    `index` counts from 0 and `size` is the tree's when it was signed. `root` is in base64 as the
    checkpoint (C2SP tlog-checkpoint) has it, `leaf` and `path` are hex, `key` is a verifier key
    (C2SP signed-note).
    """

    index: int
    size: int
    root: str
    leaf: str
    path: tuple[str, ...]
    checkpoint: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one party did in one public session.

    `reference` is the session's id, `verified_at` when the code was last accepted, `zone` an IANA
    name. There is no `proof` until the log's next checkpoint is signed.
    """

    workspace_name: str
    session_title: str
    party_name: str
    reference: str
    issued_at: datetime
    completed_at: datetime
    verified_at: datetime | None
    tasks: tuple[ReceiptTask, ...]
    proof: Proof | None
    locale: str
    zone: str

    @staticmethod
    def in_utc(at: datetime) -> str:
        """A moment to the second, the same to everybody: "2026-12-06 14:05:09 UTC"."""
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
