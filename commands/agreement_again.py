"""Asks a signer of a member's agreement again, when its public session is issued anew (PS-34)."""

from uuid import UUID

from commands.issue import AskedSigner, asked_signer
from commands.work import Work
from domain.agreement import OUT
from domain.agreement_errors import AgreementClosed
from store.agreement import agreement_by_id, signers_of
from store.public_session import PublicSessionRow, tasks_of


async def asked_again(work: Work, session: PublicSessionRow) -> AskedSigner | None:
    """Who was asked with this session; None where its agreement was its own and is made anew.

    Locks the agreement. Raises `AgreementClosed` for one that is over.
    """
    for task in await tasks_of(work.db, session.id):
        row = None
        if task.agreement_id is not None:
            row = await agreement_by_id(work.db, task.agreement_id, lock=True)
        if row is not None and row.session_id is None:
            if row.state not in OUT:
                raise AgreementClosed(row.state, "sign")
            signers = await signers_of(work.db, row.id)
            return asked_signer(row, next(e for e in signers if e.position == task.signer))
    return None


async def note_asked(work: Work, asked: AskedSigner, session_id: UUID) -> None:
    """The signer is asked through another session from now on, which nobody has opened yet."""
    for each in await signers_of(work.db, asked.agreement_id):
        if each.position == asked.position:
            each.session_id, each.opened_at = session_id, None
