"""Receipts as the API shows them (PS-13, N10)."""

from datetime import datetime
from typing import Self
from uuid import UUID

from api.shapes.field import Shown
from commands.receipt import GivenReceipt


class ReceiptFact(Shown):
    """One fact of a task, its label in the party's language."""

    label: str
    value: str


class ReceiptTaskShape(Shown):
    """One task that was completed."""

    title: str
    kind: str
    completed_at: datetime
    facts: list[ReceiptFact]


class ProofShape(Shown):
    """That the completion is an entry of the audit log (RFC 9162 2.1.3)."""

    index: int
    size: int
    root: str
    leaf: str
    path: list[str]
    checkpoint: str
    key: str


class ReceiptShape(Shown):
    """What a party did in a session.

    `proof` and `text` are null until the log's next checkpoint is signed, which takes seconds.
    Written to a file, `text` is what `gatepass audit verify` checks.
    """

    public_session: UUID
    issued_at: datetime
    verified_at: datetime | None
    completed_at: datetime
    tasks: list[ReceiptTaskShape]
    proof: ProofShape | None
    text: str | None

    @classmethod
    def of(cls, given: GivenReceipt) -> Self:
        """The shape of a receipt."""
        found = given.receipt
        tasks = [
            ReceiptTaskShape.showing(each, facts=[ReceiptFact.showing(line) for line in each.lines])
            for each in found.tasks
        ]
        proof = (
            ProofShape.showing(found.proof, path=list(found.proof.path)) if found.proof else None
        )
        return cls.showing(
            found,
            public_session=UUID(found.reference),
            tasks=tasks,
            proof=proof,
            text=given.text or None,
        )
