"""The proof of a receipt: a session's events under one signed head of the audit's tree (N10)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from commands.audit_export import opening_of
from commands.audit_tree import signer_in
from commands.work import Work
from domain.audit import AuditEvent
from domain.audit_export import Opening, ReceiptEvent, receipt_text
from domain.audit_tree import inclusion_places, inclusion_proof
from domain.receipt import Proof
from store.audit import AuditRow
from store.audit_checkpoint import AuditCheckpointRow, first_checkpoint_over
from store.audit_tree import events_of_session, leaf_of, nodes_at, signer_of
from store.public_session import PublicSessionRow

SHOWN = (
    AuditEvent.SESSION_ISSUED,
    AuditEvent.SESSION_ACTIVATED,
    AuditEvent.TASK_COMPLETED,
    AuditEvent.SESSION_COMPLETED,
)
OPENED = frozenset(SHOWN) - {AuditEvent.SESSION_ISSUED}
"""What the party did itself. Who issued, and why, stays inside (PS-30, PS-31)."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A completed session's events and the head that covers all of them."""

    key: str
    head: AuditCheckpointRow
    completed: AuditRow
    events: Sequence[ReceiptEvent]

    @property
    def text(self) -> str:
        """The receipt for machines."""
        return receipt_text(self.key, self.head.note, self.events)

    @property
    def proof(self) -> Proof:
        """What people are shown of it: the completion."""
        (event,) = (each for each in self.events if each.index == self.completed.position)
        return Proof(
            index=event.index,
            size=self.head.size,
            root=base64.b64encode(self.head.root).decode(),
            leaf=(self.completed.leaf_hash or b"").hex(),
            path=tuple(each.hex() for each in event.proof),
            checkpoint=self.head.note,
            key=self.key,
        )


async def prove(work: Work, session: PublicSessionRow) -> Proven | None:
    """What a completed session is proved by; None until the first head over it is signed."""
    rows = await events_of_session(work.db, session.id, SHOWN)
    places = [each.position for each in rows if each.position is not None]
    if not places or len(places) < len(rows):
        return None
    head = await first_checkpoint_over(work.db, session.workspace_id, max(places))
    signer = await signer_of(work.db, session.workspace_id)
    if head is None or signer is None:
        return None
    (completed,) = (each for each in rows if each.event == AuditEvent.SESSION_COMPLETED)
    return Proven(signer_in(signer).vkey, head, completed, await _events(work, head, rows))


async def _events(
    work: Work, head: AuditCheckpointRow, rows: Sequence[AuditRow]
) -> list[ReceiptEvent]:
    """The events in their order, each with its way to the head's root."""
    placed = {each.position: each for each in rows if each.position is not None}
    needed = {each for place in placed for each in inclusion_places(place, head.size)}
    node = await nodes_at(work.db, head.workspace_id, needed)
    return [
        ReceiptEvent(place, leaf_of(row), _opening(row), inclusion_proof(place, head.size, node))
        for place, row in sorted(placed.items())
    ]


def _opening(row: AuditRow) -> Opening | None:
    return opening_of(row) if row.event in OPENED else None
