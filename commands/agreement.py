"""Agreements: made, changed, sent and cancelled by members (EX-19, EX-23).

Each write names the version and hash it was made for and is refused if there is another (EX-20).
An agreement's row is locked after the public sessions' and before a party's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from commands.agreement_invite import end_invited, invite_due
from commands.agreement_write import add_signers, add_version, draft_body, said
from commands.editing_session import EditingPlace, refuse_editor
from commands.signing_certificate import certificate_of
from commands.work import Work
from domain.actor import Actor
from domain.agreement import OUT, Agreement, AgreementState, Pinned, subject_of
from domain.agreement_draft import Draft, faults_of, refuse_unsendable
from domain.agreement_errors import AgreementFaulty
from domain.audit import AuditEvent
from domain.errors import DomainError, NotFound
from domain.fault import Fault
from domain.messages import AgreementNews, AgreementStart
from domain.paper import Paper
from domain.workflow_names import AGREEMENT, CANCELLED, CHANGED, agreement_id
from store.agreement import (
    AgreementRow,
    AgreementSignerRow,
    AgreementVersionRow,
    agreement_by_id,
    agreement_value,
    sessions_asked,
    signers_of,
    version_of,
)
from store.columns import new_id
from store.paper import paper_pdf
from store.party import without_address
from store.public_session import PublicSessionRow, session_by_id


@dataclass(frozen=True, slots=True)
class AgreementTarget:
    """Which agreement of which workspace, who acts on it, and from which editing window if any."""

    agreement_id: UUID
    workspace_id: UUID
    actor: Actor
    place: EditingPlace | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """An agreement with its current version and its signers."""

    row: AgreementRow
    version: AgreementVersionRow
    signers: tuple[AgreementSignerRow, ...]

    @property
    def value(self) -> Agreement:
        """The domain value."""
        return agreement_value(self.row, self.signers)


async def whole_agreement(
    work: Work, agreement: UUID, workspace_id: UUID, *, lock: bool = False
) -> Whole:
    """An agreement of this workspace as it is now; raises `NotFound`."""
    row = await agreement_by_id(work.db, agreement, workspace_id, lock=lock)
    if row is None:
        raise NotFound("agreement")
    version = await version_of(work.db, row.id, row.version)
    return Whole(row, version, tuple(await signers_of(work.db, row.id)))


async def members_agreement(
    work: Work, agreement: UUID, workspace_id: UUID, *, lock: bool = False
) -> Whole:
    """An agreement that members work on, not one that came with a task; raises `NotFound`."""
    whole = await whole_agreement(work, agreement, workspace_id, lock=lock)
    if whole.row.session_id is not None:
        raise NotFound("agreement")
    return whole


async def create_agreement(
    work: Work, workspace_id: UUID, body: Mapping[str, Any], paper: Paper, actor: Actor
) -> Whole:
    """A new draft on a document; raises `AgreementFaulty`."""
    _refuse_faulty(body, len(paper.pages))
    draft = Draft.of(body)
    row = AgreementRow(
        id=new_id(),
        workspace_id=workspace_id,
        digest="",
        created_by=str(actor),
        created_at=work.at,
    )
    work.db.add(row)
    _take(row, draft)
    version = await add_version(work, row, said(draft), paper, actor)
    signers = await add_signers(work, row, draft.signers)
    _audit(work, AuditEvent.AGREEMENT_CREATED, row, actor, {"version": 1, "sha256": row.digest})
    return Whole(row, version, signers)


async def change_agreement(
    work: Work,
    target: AgreementTarget,
    given: Pinned,
    changes: Mapping[str, Any],
    paper: Paper | None = None,
) -> Whole:
    """The agreement with some of its members, or its document, replaced: its next version.

    Open windows hear of it at once (EX-19). Raises `NotFound`, `AgreementClosed`,
    `AgreementSigned`, `AgreementStale`, `AgreementFaulty`, `WindowHeld` or `WindowLost`.
    """
    whole = await _locked_for(work, target, given)
    before, old = whole.row.digest, draft_body(whole.row, whole.version, whole.signers)
    body = old | dict(changes)
    _refuse_faulty(body, len(paper.pages if paper else whole.version.pages))
    draft = Draft.of(body)
    if whole.row.state in OUT:
        refuse_unsendable(draft)
    signers = await _signers_after(work, whole, draft)
    _take(whole.row, draft)
    kept = paper or await _same_paper(work, whole.version)
    version = await add_version(work, whole.row, said(draft), kept, target.actor)
    details = {
        "version": version.version,
        "before": before,
        "after": version.sha256,
        "changed": _changed(old, draft_body(whole.row, version, signers)),
    }
    _audit(work, AuditEvent.AGREEMENT_CHANGED, whole.row, target.actor, details)
    if whole.row.state in OUT:
        # Those who had to wait for others may have to no more.
        sender = replace(target.actor, email=whole.row.notify_email or None)
        await invite_due(work, whole.row, signers, sender)
        _tell(work, whole.row, CHANGED, AgreementNews(str(version.id)))
    return Whole(whole.row, version, signers)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Which members are other ones: numbers and switches with their values, words never."""
    return {
        name: value if isinstance(value, bool | int) else True
        for name, value in after.items()
        if value != before[name]
    }


async def _locked_for(work: Work, target: AgreementTarget, given: Pinned) -> Whole:
    whole = await members_agreement(work, target.agreement_id, target.workspace_id, lock=True)
    _raise(whole.value.refuses_edit() or whole.value.refuses_version(given))
    await refuse_editor(work, whole.row, target.place)
    return whole


async def _same_paper(work: Work, version: AgreementVersionRow) -> Paper:
    pdf = await paper_pdf(work.db, version.paper_id)
    if pdf is None:
        raise NotFound("document")
    return Paper(pdf, tuple(version.pages))


async def _signers_after(work: Work, whole: Whole, draft: Draft) -> tuple[AgreementSignerRow, ...]:
    """The signers of a changed draft. Once it was sent they are who they are."""
    same = [(each.party_id, each.signs) for each in whole.signers]
    if [(each.party_id, each.signs) for each in draft.signers] == same:
        return whole.signers
    if whole.row.state != AgreementState.DRAFT:
        raise AgreementFaulty((Fault("/signers", "cannot be changed once it was sent"),))
    for each in whole.signers:
        await work.db.delete(each)
    await work.db.flush()
    return await add_signers(work, whole.row, draft.signers)


def _take(row: AgreementRow, draft: Draft) -> None:
    row.title, row.message = draft.title, draft.message
    row.ordered, row.step_up = draft.ordered, draft.step_up
    row.time_bound_days = draft.time_bound_days


async def send_agreement(work: Work, target: AgreementTarget, given: Pinned) -> Whole:
    """Sends it: each signer in turn, or all, get a public session and a Request to Sign (PS-43).

    Raises as `change_agreement`, and `NoSigningCertificate`.
    """
    whole = await members_agreement(work, target.agreement_id, target.workspace_id, lock=True)
    _raise(whole.value.refuses_send() or whole.value.refuses_version(given))
    await refuse_editor(work, whole.row, target.place)
    unreachable = await without_address(work.db, [each.party_id for each in whole.signers])
    refuse_unsendable(Draft.of(draft_body(whole.row, whole.version, whole.signers)), unreachable)
    await certificate_of(work, target.workspace_id)
    row = whole.row
    row.state, row.sent_at = AgreementState.SENT, work.at
    row.notify_email = target.actor.email or ""
    _audit(work, AuditEvent.AGREEMENT_SENT, row, target.actor, _versions(whole))
    work.start_workflow(AGREEMENT, agreement_id(row.id), AgreementStart(str(row.id)))
    await invite_due(work, row, whole.signers, target.actor)
    return whole


async def cancel_agreement(work: Work, target: AgreementTarget, rationale: str) -> Whole:
    """Ends it, with the public sessions of those who were to sign (EX-23).

    Raises `NotFound` or `AgreementClosed`.
    """
    whole, _ = await locked_with_sessions(work, target)
    _raise(whole.value.refuses_cancel())
    await end_invited(work, whole.row, whole.signers, target.actor, rationale)
    note_cancelled(work, whole, target.actor, rationale)
    return whole


def note_cancelled(work: Work, whole: Whole, actor: Actor, rationale: str) -> None:
    """Writes down that a locked agreement is over, and tells its workflow if it has one."""
    row = whole.row
    was_out = row.state in OUT
    row.state, row.ended_at, row.rationale = AgreementState.CANCELLED, work.at, rationale
    told = _versions(whole) | {"rationale": rationale}
    _audit(work, AuditEvent.AGREEMENT_CANCELLED, row, actor, told)
    if was_out:
        _tell(work, row, CANCELLED, AgreementNews(str(row.id)))


async def locked_with_sessions(
    work: Work, target: AgreementTarget
) -> tuple[Whole, Sequence[PublicSessionRow]]:
    """The agreement and every public session that asked for it, locked; raises `NotFound`.

    Who is asked anew, between the look at the sessions and the lock, has another one.
    """
    # Before anything is locked that may be another workspace's.
    await members_agreement(work, target.agreement_id, target.workspace_id)
    while True:
        asked = await sessions_asked(work.db, [target.agreement_id])
        # Sessions before the agreement, as every verb locks.
        sessions = [await session_by_id(work.db, each, lock=True) for each in asked]
        look = await work.db.begin_nested()
        whole = await members_agreement(work, target.agreement_id, target.workspace_id, lock=True)
        if await sessions_asked(work.db, [target.agreement_id]) == asked:
            await look.commit()
            return whole, [each for each in sessions if each is not None]
        # Lets go of the agreement's lock: the new session's is before it.
        await look.rollback()


def _versions(whole: Whole) -> dict[str, Any]:
    return {"version": whole.row.version, "sha256": whole.row.digest}


def _refuse_faulty(body: Mapping[str, Any], pages: int) -> None:
    if faults := faults_of(body, pages):
        raise AgreementFaulty(faults)


def _raise(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def _tell(work: Work, row: AgreementRow, signal: str, news: AgreementNews) -> None:
    work.tell_workflow(AGREEMENT, agreement_id(row.id), signal, news)


def _audit(
    work: Work, event: AuditEvent, row: AgreementRow, actor: Actor, details: Mapping[str, Any]
) -> None:
    work.audit_subject(event, row.workspace_id, subject_of(row.id), actor, details)
