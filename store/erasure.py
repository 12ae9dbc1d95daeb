"""What erasing changes: keys destroyed, contents emptied, ids and times kept.

A row keeps its place, its times and its states, an event of the audit also its commitment and its
leaf: lists go on showing it and the audit's tree goes on verifying.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, delete, false, func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.agreement import subject_of
from store.access import LoginRow
from store.agreement import AgreementRow, AgreementSignerRow, AgreementVersionRow
from store.audit import HAS_SUBJECT, AuditRow
from store.binding import BindingRow
from store.code import CodeRow, CodeTryRow
from store.data_key import DataKeyRow
from store.editing_session import EditingSessionRow
from store.federation import FederatedSubjectRow
from store.idempotency import ERASED, IdempotencyRow
from store.known_device import forget_known_devices
from store.mail import MailRow
from store.member import MemberRow
from store.member_session import MemberSessionRow
from store.paper import PaperRow
from store.party import PartyRow
from store.passkey import delete_passkeys
from store.provision import ProvisionRow
from store.public_session import PublicSessionRow, SubmissionRow
from store.sealed import KEYS, Keys, Owner, SealedRow, blinded, key_of, opened
from store.second_factor import delete_factors
from store.signing_session import SigningSessionRow
from store.trusted_device import delete_devices
from store.upload import UploadRow
from store.visit import VisitRow

Ids = Collection[UUID]


async def sessions_of_party(db: AsyncSession, party_id: UUID) -> Sequence[PublicSessionRow]:
    """All sessions of a party, open or not, locked in the order of their ids."""
    found = select(PublicSessionRow).where(PublicSessionRow.party_id == party_id)
    ordered = found.order_by(col(PublicSessionRow.id)).with_for_update()
    rows = await db.scalars(ordered.execution_options(populate_existing=True))
    return await opened(db, rows.all())


async def empty_events(
    db: AsyncSession, sessions: Ids, party_id: UUID | None = None, agreement: UUID | None = None
) -> None:
    """Empties what the audit tells of these sessions and of the agreements that came with them.

    And, if they are named, of a party and of an agreement itself. Events from before there was a
    tree commit to what they told first, so that they get a place.
    """
    about: ColumnElement[bool] = col(AuditRow.session_id).in_(sessions)
    if party_id is not None:
        about = or_(about, of_party_itself(party_id))
    about = or_(about, await _of_agreements(db, sessions, agreement))
    # Locked in the order in which the sequencer numbers them, so that neither waits in a ring.
    waiting = select(AuditRow).where(about, col(AuditRow.position).is_(None))
    found = await db.scalars(waiting.order_by(col(AuditRow.id)).with_for_update())
    keys: Keys = db.info[KEYS]
    unplaced = [each for each in found.all() if each.commitment is None]
    # One whose contents are refused was put there by somebody: it gets no place.
    told = [each for each in unplaced if each.unsealed is None or keys.reads_clear]
    for row in await opened(db, told):
        row.commit()
    await db.flush()
    await _empty(db, AuditRow, about)


async def _of_agreements(
    db: AsyncSession, sessions: Ids, agreement: UUID | None
) -> ColumnElement[bool]:
    """The events of agreements themselves, which hashes of the documents stand in."""
    theirs = or_(col(AgreementRow.session_id).in_(sessions), col(AgreementRow.id) == agreement)
    found = (
        await db.execute(select(AgreementRow.workspace_id, AgreementRow.id).where(theirs))
    ).all()
    if not found:
        return false()
    workspace = col(AuditRow.workspace_id).in_({each.workspace_id for each in found})
    return and_(
        workspace, col(AuditRow.subject).in_([subject_of(each.id) for each in found]), HAS_SUBJECT
    )


def of_party_itself(party_id: UUID) -> ColumnElement[bool]:
    """The events of a party that are of none of its sessions."""
    return (col(AuditRow.party_id) == party_id) & col(AuditRow.session_id).is_(None)


async def empty_sessions(db: AsyncSession, sessions: Ids, at: datetime) -> None:
    """Empties what was captured in these sessions, and forgets who came by their links.

    Their files are marked as removed; so their objects are deleted.
    """
    await _empty(db, SubmissionRow, col(SubmissionRow.session_id).in_(sessions))
    removed_at = func.coalesce(col(UploadRow.removed_at), at)
    await _empty(db, UploadRow, col(UploadRow.session_id).in_(sessions), removed_at=removed_at)
    await _empty_mails(db, col(MailRow.session_id).in_(sessions))
    await _empty(db, BindingRow, col(BindingRow.session_id).in_(sessions))
    await _empty(db, SigningSessionRow, col(SigningSessionRow.session_id).in_(sessions))
    erased_at = func.coalesce(col(AgreementRow.erased_at), at)
    brought = col(AgreementRow.session_id).in_(sessions)
    await _empty(db, AgreementRow, brought, digest="", sealed_sha256="", erased_at=erased_at)
    await empty_papers(db, sessions)
    codes = select(CodeRow.id).where(col(CodeRow.session_id).in_(sessions))
    await db.execute(delete(CodeTryRow).where(col(CodeTryRow.code_id).in_(codes)))
    await db.execute(delete(CodeRow).where(col(CodeRow.session_id).in_(sessions)))
    await db.execute(delete(VisitRow).where(col(VisitRow.session_id).in_(sessions)))


async def empty_papers(db: AsyncSession, owners: Ids) -> None:
    """Empties the versions, the signers and the pages of agreements that belong to these.

    Hashes go too: whoever has the document could tell by them that it was this one.
    """
    hashes: dict[str, Any] = {"sha256": "", "paper_sha256": "", "pages": []}
    theirs = col(AgreementVersionRow.owner_id).in_(owners)
    await _empty(db, AgreementVersionRow, theirs, **hashes)
    await _empty(db, AgreementSignerRow, col(AgreementSignerRow.owner_id).in_(owners))
    await _change(db, PaperRow, col(PaperRow.owner_id).in_(owners), content=b"", size=0)


async def empty_agreement(db: AsyncSession, row: AgreementRow, at: datetime) -> None:
    """Empties a locked agreement that belongs to itself; its events are emptied by themselves."""
    row.sealed, row.unsealed, row.erased_at = None, None, at
    row.digest, row.sealed_sha256 = "", ""
    await empty_papers(db, [row.id])
    await _empty(db, EditingSessionRow, col(EditingSessionRow.agreement_id) == row.id)


async def _empty_mails(db: AsyncSession, which: ColumnElement[bool]) -> None:
    # The digest of an address is the same wherever it was mailed to: it would tell who this was.
    nobody = func.replace(cast(func.gen_random_uuid(), String), "-", "")
    await _empty(db, MailRow, which, recipient_digest=nobody, code_id=None)


async def empty_member(db: AsyncSession, member: MemberRow) -> None:
    """Empties a locked member: its mails, factors, browsers, and what a directory says of it."""
    member.sealed, member.unsealed = None, None
    await db.execute(delete(ProvisionRow).where(col(ProvisionRow.member_id) == member.id))
    await delete_factors(db, member.id)
    await delete_passkeys(db, member.id)
    await delete_devices(db, member.id)
    await forget_known_devices(db, member.id)
    await _empty_mails(db, col(MailRow.member_id) == member.id)
    await _empty(db, LoginRow, col(LoginRow.member_id) == member.id)
    await _empty(db, MemberSessionRow, col(MemberSessionRow.member_id) == member.id)
    subject = delete(FederatedSubjectRow).where(col(FederatedSubjectRow.member_id) == member.id)
    await db.execute(subject)


async def _empty(
    db: AsyncSession, table: type[SealedRow], which: ColumnElement[bool], **others: Any
) -> None:
    await _change(db, table, which, sealed=None, unsealed=None, **others)


async def _change(db: AsyncSession, table: Any, which: ColumnElement[bool], **values: Any) -> None:
    # Rows that were read before are not looked at again: erasing comes last in a transaction.
    changed = update(table).where(which).values(**values)
    await db.execute(changed.execution_options(synchronize_session=False))


def empty_row(row: PublicSessionRow | PartyRow, at: datetime) -> None:
    """Empties a locked session or party, and what it is found by."""
    row.sealed, row.unsealed, row.words, row.erased_at = None, None, [], at


async def empty_answers(db: AsyncSession, workspace_id: UUID, subjects: Ids) -> None:
    """Empties the answers kept for repeated requests that name one of these ids.

    The digest of the body that was sent goes too: whoever guesses a name could tell by it that it
    was this one. That of the route stays.
    """
    table: Any = IdempotencyRow
    named = [str(each) for each in subjects]
    words = await blinded(db, workspace_id, named)
    # What an older release kept lies there as it was answered until it is sealed.
    clear = [cast(table.unsealed, String).contains(each) for each in named]
    which = (table.workspace_id == workspace_id) & or_(table.words.overlap(words), *clear)
    route = func.coalesce(func.substring(table.request_digest, "^[0-9a-f]+:"), "")
    await _empty(db, table, which, words=[], status=ERASED, request_digest=route)


async def destroy_keys(db: AsyncSession, owners: Sequence[Owner], at: datetime) -> None:
    """Destroys the keys of these owners for good.

    One that never sealed anything gets the key that is destroyed: it never gets another.
    """
    for each in owners:
        await key_of(db, each)
    subjects = [each.subject_id for each in owners]
    living = col(DataKeyRow.subject_id).in_(subjects) & col(DataKeyRow.wrapped).is_not(None)
    await _change(db, DataKeyRow, living, wrapped=None, destroyed_at=at)
    # From here on this transaction, and after its commit this process, knows them as destroyed.
    keys: Keys = db.info[KEYS]
    await db.run_sync(keys.load, subjects)


async def sessions_to_erase(db: AsyncSession, at: datetime, most: int, left: Ids) -> Sequence[UUID]:
    """Sessions whose retention is over, the longest over first, but those that are `left`."""
    found = select(PublicSessionRow.id).where(
        col(PublicSessionRow.erase_at) <= at,
        col(PublicSessionRow.erased_at).is_(None),
        col(PublicSessionRow.id).not_in(left),
    )
    return (await db.scalars(found.order_by(col(PublicSessionRow.erase_at)).limit(most))).all()


async def uploads_to_erase(db: AsyncSession, at: datetime, most: int, left: Ids) -> Sequence[UUID]:
    """Files whose own retention is over, the longest over first, but those that are `left`."""
    found = select(UploadRow.id).where(
        col(UploadRow.erase_at) <= at,
        col(UploadRow.removed_at).is_(None),
        col(UploadRow.id).not_in(left),
    )
    return (await db.scalars(found.order_by(col(UploadRow.erase_at)).limit(most))).all()


async def doomed_uploads_of(db: AsyncSession, subject_id: UUID) -> Sequence[UploadRow]:
    """Removed files of a session, or of all sessions of a party, whose bytes are still there."""
    sessions = select(PublicSessionRow.id).where(
        or_(col(PublicSessionRow.id) == subject_id, col(PublicSessionRow.party_id) == subject_id)
    )
    found = select(UploadRow).where(
        col(UploadRow.session_id).in_(sessions),
        col(UploadRow.removed_at).is_not(None),
        col(UploadRow.object_gone_at).is_(None),
    )
    return (await db.scalars(found)).all()
