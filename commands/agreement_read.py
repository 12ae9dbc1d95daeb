"""The files of an agreement: any version that is kept, and the sealed document."""

from commands.agreement import Whole
from commands.agreement_copy import SealedCopy, sealed_copy
from commands.room import Room
from commands.work import Work
from domain.actor import Actor
from domain.agreement import subject_of
from domain.audit import AuditEvent
from domain.errors import Erased, NotFound
from store.agreement import AgreementVersionRow, known_version, signed_in_session
from store.audit_tree import events_of_session
from store.paper import paper_pdf


async def version_pdf(work: Work, whole: Whole, number: int | None, actor: Actor) -> bytes:
    """The pages of a version, or of the current one; that they were read is written down.

    Raises `NotFound` or `Erased`.
    """
    version = await find_version(work, whole, number)
    pdf = await paper_pdf(work.db, version.paper_id)
    if pdf is None:
        raise Erased
    note_read(work, whole, actor, {"version": version.version})
    return pdf


async def find_version(work: Work, whole: Whole, number: int | None) -> AgreementVersionRow:
    """A version that is kept; raises `NotFound`."""
    if number is None:
        return whole.version
    found = await known_version(work.db, whole.row.id, number)
    if found is None:
        raise NotFound("version")
    return found


async def read_sealed(work: Work, whole: Whole, actor: Actor) -> SealedCopy:
    """What all have signed, sealed; that it was read is written down.

    Raises `NotFound` before it is sealed, or `Erased`.
    """
    copy = await sealed_copy(work, whole.row)
    note_read(work, whole, actor, {"sealed": True})
    return copy


async def read_signed(work: Work, room: Room, agreement: str) -> SealedCopy:
    """What was signed in a session, sealed, for its party; the first time is written down.

    Raises `NotFound` before it is sealed and for what was not signed there, or `Erased`.
    """
    session, rows = room.session, await signed_in_session(work.db, room.session.id)
    row = next((each for each in rows if str(each.id) == agreement), None)
    if row is None:
        raise NotFound("document")
    copy = await sealed_copy(work, row)
    details = {"agreement": str(row.id), "sealed": True}
    before = await events_of_session(work.db, session.id, (AuditEvent.AGREEMENT_READ,))
    if not any(each.details == details and each.actor == str(room.actor) for each in before):
        work.audit_session(AuditEvent.AGREEMENT_READ, session, room.actor, details=details)
    return copy


def note_read(work: Work, whole: Whole, actor: Actor, details: dict[str, object]) -> None:
    """Writes down that somebody read a file of an agreement (PS-25)."""
    subject = subject_of(whole.row.id)
    work.audit_subject(AuditEvent.AGREEMENT_READ, whole.row.workspace_id, subject, actor, details)
