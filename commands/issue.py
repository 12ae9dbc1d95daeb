"""Issues public sessions: by hand, by a lifecycle, again. Each cause issues once (PS-8, PS-36)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from adapters.keyring import link_digest
from adapters.languages import translations_for
from commands.agreement_task import give_agreements
from commands.definition import pinned_tasks
from commands.mail import invitation_of, queue_party_mail
from commands.public_session_terms import refuse_faulty, settings_in, settle_terms
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.definition import DefinitionKind, DefinitionStatus
from domain.errors import NotFound
from domain.messages import PublicSessionStart
from domain.reminder import reminder_times
from domain.session_template import SessionTemplate, check_issuable, issuable_statuses
from domain.signature_request import TO_CONFIRM, TO_SIGN, RequestNames
from store.agreement import AgreementRow, AgreementSignerRow
from store.columns import new_id
from store.definition import DefinitionRow, latest_definition
from store.party import PartyRow
from store.public_session import (
    PublicSessionRow,
    TaskRow,
    open_session_of_template,
    session_by_cause,
)


@dataclass(frozen=True, slots=True)
class AskedSigner:
    """Which signer of which agreement is asked, for how long, and whether to sign it (PS-42)."""

    agreement_id: UUID
    position: int
    time_bound: timedelta
    signs: bool

    @property
    def names(self) -> RequestNames:
        """What the session and its step are called."""
        return TO_SIGN if self.signs else TO_CONFIRM


def asked_signer(row: AgreementRow, signer: AgreementSignerRow) -> AskedSigner:
    """This signer of an agreement, as it is asked."""
    bound = timedelta(days=row.time_bound_days)
    return AskedSigner(row.id, signer.position, bound, signer.signs)


@dataclass(frozen=True, slots=True)
class Issue:
    """What to issue to whom, why and by whom. The same `cause` never issues twice.

    `settings` are the session's own, by name, before the template's and the workspace's.
    """

    template: str
    cause: str
    actor: Actor
    subject: str = ""
    rationale: str = ""
    reissued_from: UUID | None = None
    asked: AskedSigner | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issued:
    """The new session, and another one of the same template that the party has open."""

    session: PublicSessionRow
    tasks: Sequence[TaskRow]
    already_open: UUID | None


async def issue(work: Work, party: PartyRow, wanted: Issue) -> Issued:
    """Issues a template to a party: session, tasks, audit, invitation and the workflow's start.

    Raises `NotFound`, `TemplateNotIssuable`, `ScopeRefused` or `SettingRefused`. The caller holds
    the party's row.
    """
    refuse_faulty(wanted.settings)
    row = await issuable_version(work, party, wanted.template)
    template = SessionTemplate.of(row.body)
    if wanted.asked:
        name = _in_words_of(party)(wanted.asked.names.session)
        template = replace(template, name=name, time_bound=wanted.asked.time_bound)
    template.scope.check_issue(party.kind, party.state, wanted.subject)
    already_open = await open_session_of_template(work.db, party.id, template.key, work.at)
    session = _session_row(work, party, row, template, wanted)
    session.settings = await settle_terms(
        work, party.workspace_id, template.settings, wanted.settings
    )
    work.db.add(session)
    tasks = await _task_rows(work, session, party, row.body["tasks"], wanted.asked)
    await work.db.flush()
    await queue_party_mail(work, session, party, await invitation_of(work, session), "1")
    _start(work, session, template, tasks)
    _audit(work, session, party, wanted)
    return Issued(session, tasks, already_open)


def _in_words_of(party: PartyRow) -> Callable[[str], str]:
    """The product's own words in the party's language; an author's are as they were written."""
    return translations_for(party.locale).gettext


async def issue_once(work: Work, party: PartyRow, wanted: Issue) -> PublicSessionRow:
    """The session of this cause: the one that exists, or a new one."""
    found = await session_by_cause(work.db, party.workspace_id, wanted.cause)
    return found or (await issue(work, party, wanted)).session


async def issuable_version(work: Work, party: PartyRow, key: str) -> DefinitionRow:
    """The version that is issued to this party: drafts go to test parties only (PS-35)."""
    kind, workspace_id = DefinitionKind.TEMPLATE, party.workspace_id
    statuses = issuable_statuses(test_party=party.test)
    row = await latest_definition(work.db, workspace_id, kind, key, *statuses)
    row = row or await latest_definition(work.db, workspace_id, kind, key)
    if row is None:
        raise NotFound("session template")
    check_issuable(key, DefinitionStatus(row.status), test_party=party.test)
    return row


def _session_row(
    work: Work, party: PartyRow, row: DefinitionRow, template: SessionTemplate, wanted: Issue
) -> PublicSessionRow:
    session_id, version = new_id(), work.keyring.current
    return PublicSessionRow(
        id=session_id,
        workspace_id=party.workspace_id,
        party_id=party.id,
        template_key=template.key,
        template_version=row.version,
        title=template.name,
        subject=wanted.subject,
        cause=wanted.cause,
        issued_at=work.at,
        expires_at=work.at + template.time_bound,
        ordered=template.ordered,
        scope=row.body.get("scope", {}),
        reminders=list(template.reminders),
        link_digest=link_digest(work.keyring.link_token(session_id, 1, version)),
        key_version=version,
        issued_by=str(wanted.actor),
        notify_email=wanted.actor.email or "",
        rationale=wanted.rationale,
        reissued_from=wanted.reissued_from,
        retention_days=row.body.get("retention_days"),
    )


async def _task_rows(
    work: Work,
    session: PublicSessionRow,
    party: PartyRow,
    definitions: list[dict[str, Any]],
    asked: AskedSigner | None,
) -> list[TaskRow]:
    pinned = await pinned_tasks(work, session.workspace_id, definitions)
    tasks = [_task_row(session.id, at, each) for at, each in enumerate(pinned)]
    # The session's row goes first: tasks refer to it, and an agreement of its own does.
    await work.db.flush()
    if asked is None:
        await give_agreements(work, session, party, list(zip(tasks, pinned, strict=True)))
    else:
        session.signs = True
        for each in tasks:
            each.title = _in_words_of(party)(asked.names.step)
            each.agreement_id, each.signer = asked.agreement_id, asked.position
    work.db.add_all(tasks)
    return tasks


def _task_row(session_id: UUID, position: int, task: Mapping[str, Any]) -> TaskRow:
    return TaskRow(
        session_id=session_id,
        position=position,
        key=task["key"],
        kind=task["kind"],
        title=task["title"],
        help=task.get("help", ""),
        form_key=task.get("form"),
        form_version=task.get("form_version"),
        document_key=task.get("document"),
        document_version=task.get("document_version"),
        statement=task.get("statement"),
        upload=task.get("upload"),
    )


def _start(
    work: Work, session: PublicSessionRow, template: SessionTemplate, tasks: Sequence[TaskRow]
) -> None:
    most = settings_in(work, session).template_reminders
    reminders = reminder_times(template.reminders, session.issued_at, session.expires_at, most)
    keys = tuple(each.key for each in tasks)
    message = PublicSessionStart(str(session.id), session.expires_at, reminders, keys)
    work.start_public_session(session.id, message)


def _audit(work: Work, session: PublicSessionRow, party: PartyRow, wanted: Issue) -> None:
    details = {
        "template": session.template_key,
        "template_version": session.template_version,
        "expires_at": session.expires_at.isoformat(),
        "cause": session.cause,
        "test": party.test,
    } | ({"settings": dict(wanted.settings)} if wanted.settings else {})
    work.audit_session(
        AuditEvent.SESSION_ISSUED, session, wanted.actor, reason=wanted.rationale, details=details
    )
