"""The sealed document of an agreement, for those who signed it and for the company."""

from dataclasses import dataclass
from uuid import UUID

from commands.work import Work
from domain.errors import Erased, NotFound
from store.agreement import AgreementRow, signed_in_session
from store.paper import paper_pdf


@dataclass(frozen=True, slots=True)
class SealedCopy:
    """One sealed PDF, under the name that it is given out by."""

    name: str
    pdf: bytes


async def sealed_copy(work: Work, row: AgreementRow) -> SealedCopy:
    """The sealed document; raises `NotFound` before there is one, `Erased` after."""
    if row.sealed_paper_id is None:
        raise NotFound("sealed document")
    pdf = await paper_pdf(work.db, row.sealed_paper_id)
    if pdf is None:
        raise Erased
    return SealedCopy(f"{row.title or 'agreement'}.pdf", pdf)


async def copies_of_session(work: Work, session_id: UUID) -> tuple[SealedCopy, ...]:
    """Every sealed document that was signed in a public session and was not erased."""
    rows = await signed_in_session(work.db, session_id)
    kept = [each for each in rows if each.sealed_paper_id and each.erased_at is None]
    return tuple([await sealed_copy(work, each) for each in kept])
