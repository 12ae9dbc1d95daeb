"""A party's receipt: what it did, and the proof that it is on record (PS-13, N10)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.languages import negotiate, translations_for
from adapters.receipt_pdf import receipt_pdf
from commands.receipt_proof import Proven, prove
from commands.task_kind import FILES
from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.errors import Erased, NotFound
from domain.public_session import EndReason
from domain.receipt import Receipt, ReceiptLine, ReceiptTask
from domain.submission import submission_sha256
from domain.task import TaskKind
from domain.upload import size_text
from store.audit_tree import events_of_session
from store.party import PartyRow, party_by_id
from store.public_session import (
    PublicSessionRow,
    SubmissionRow,
    TaskRow,
    submissions_of,
    tasks_of,
)
from store.workspace import workspace_by_id

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class GivenReceipt:
    """A receipt for people, and its text for machines: empty until the log's head is signed."""

    receipt: Receipt
    text: str

    def pdf(self) -> bytes:
        """The document; takes 0.2 s of computing, so call it in a thread."""
        return receipt_pdf(self.receipt, self.text.encode())


async def receipt_of(
    work: Work, session: PublicSessionRow, locale: str | None = None
) -> GivenReceipt:
    """The receipt of a completed session, in a language or in the party's own.

    There is no proof until the log's next head is signed. Raises `Erased`, or `NotFound` for a
    session that was not completed.
    """
    if session.erased_at is not None:
        raise Erased
    party = await party_by_id(work.db, session.workspace_id, session.party_id)
    if session.end_reason != EndReason.COMPLETED or party is None:
        raise NotFound("receipt")
    proven = await prove(work, session)
    receipt = await _receipt(work, session, party, proven, negotiate(None, locale or party.locale))
    return GivenReceipt(receipt, proven.text if proven else "")


async def note_read(work: Work, session: PublicSessionRow, actor: Actor) -> None:
    """Writes down that a member read the receipt, or that the party did for the first time."""
    if actor.kind == ActorKind.PARTY:
        before = await events_of_session(work.db, session.id, (AuditEvent.RECEIPT_READ,))
        if any(each.actor == str(actor) for each in before):
            return
    work.audit_session(AuditEvent.RECEIPT_READ, session, actor)


async def _receipt(
    work: Work, session: PublicSessionRow, party: PartyRow, proven: Proven | None, locale: str
) -> Receipt:
    tasks = await tasks_of(work.db, session.id)
    submissions = await submissions_of(work.db, session.id)
    return Receipt(
        workspace_name=(await workspace_by_id(work.db, session.workspace_id)).name,
        session_title=session.title,
        party_name=party.name,
        reference=str(session.id),
        issued_at=session.issued_at,
        completed_at=session.ended_at or session.expires_at,
        verified_at=_verified_at(submissions),
        tasks=_tasks(tasks, submissions, locale),
        proof=proven.proof if proven else None,
        locale=locale,
        zone=party.zone,
    )


def _verified_at(submissions: Sequence[SubmissionRow]) -> datetime | None:
    """When the code was accepted that let the party complete the last task."""
    found = [each.evidence["verification"]["verified_at"] for each in submissions]
    return datetime.fromisoformat(found[-1]) if found else None


def _tasks(
    tasks: Sequence[TaskRow], submissions: Sequence[SubmissionRow], locale: str
) -> tuple[ReceiptTask, ...]:
    translate = translations_for(locale).gettext
    captured = {each.task_id: each for each in submissions}
    return tuple(_task(each, captured[each.id], translate) for each in tasks if each.id in captured)


def _task(task: TaskRow, row: SubmissionRow, translate: Translate) -> ReceiptTask:
    files = _files(row, translate) if task.kind == TaskKind.UPLOAD else []
    lines = (*_shown(row, translate), *files, *_record(row, translate))
    return ReceiptTask(task.title, task.kind, row.submitted_at, lines)


def _shown(row: SubmissionRow, _: Translate) -> list[ReceiptLine]:
    """What stood on the page: which form, which document, which words were agreed to."""
    labels = {
        "form_version": _("Version of the form"),
        "statement": _("Statement"),
        "document_title": _("Document"),
        "document_version": _("Version of the document"),
        "document_sha256": _("SHA-256 of the document"),
        "agreement_version": _("Version signed"),
        "agreement_sha256": _("SHA-256 of what was signed"),
    }
    return [
        ReceiptLine(label, str(row.evidence[name]), is_hash=name.endswith("sha256"))
        for name, label in labels.items()
        if row.evidence.get(name)
    ]


def _files(row: SubmissionRow, _: Translate) -> list[ReceiptLine]:
    return [
        line
        for each in row.body[FILES]
        for line in (
            ReceiptLine(_("File"), f"{each['name']} ({size_text(each['size'])})"),
            ReceiptLine(_("SHA-256 of the file"), each["sha256"], is_hash=True),
        )
    ]


def _record(row: SubmissionRow, _: Translate) -> list[ReceiptLine]:
    """The digest of everything that was captured, which the proven event has too."""
    if not row.salt:
        return []
    digest = submission_sha256(bytes.fromhex(row.salt), row.body, row.evidence)
    return [ReceiptLine(_("SHA-256 of the record"), digest, is_hash=True)]
