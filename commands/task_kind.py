"""What completing each kind of task captures: one class a kind (PS-10).

A new kind is one entry in `domain/task.py`, one check in `domain/session_template.py`, one class
here, and in `api/task_pages.py` with its page in `api/pages/tasks/` what the party sees.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from adapters.form_check import check
from commands.capture import Captured, CapturesTask, Posted
from commands.pinned import pinned_document, pinned_form
from commands.signature_task import SignatureTask
from commands.work import Work
from domain.document import Document
from domain.errors import AnswersRefused
from domain.task import TaskKind
from domain.upload import UploadScope
from store.public_session import PublicSessionRow, TaskRow
from store.upload import UploadRow, UploadState, uploads_of_task

AGREED = "agreed"
FILES = "files"


class FormTask:
    """The party's answers to a form."""

    async def capture(
        self, work: Work, session: PublicSessionRow, task: TaskRow, posted: Posted
    ) -> Captured:
        """The answers, checked against the form version the session was issued with."""
        form = await pinned_form(work, session.workspace_id, task)
        errors = check(form.schema, posted.values, posted.translate)
        if errors:
            raise AnswersRefused(errors, dict(posted.values))
        shown = {
            "form": task.form_key,
            "form_version": task.form_version,
            "locale": posted.locale,
        }
        return Captured(dict(posted.values), shown)


class StatementTask:
    """A statement the party agrees to: acknowledging a document, or confirming (PS-13)."""

    async def capture(
        self, work: Work, session: PublicSessionRow, task: TaskRow, posted: Posted
    ) -> Captured:
        """The agreement, with exactly what was agreed to."""
        if posted.values.get(AGREED) is not True:
            text = posted.translate("Tick the box to confirm the statement.")
            raise AnswersRefused({AGREED: text})
        shown: dict[str, Any] = {"statement": task.statement, "locale": posted.locale}
        row = await pinned_document(work, session, task)
        if row is not None:
            document = Document.of(row.body)
            shown |= {
                "document": row.key,
                "document_version": row.version,
                "document_title": document.title,
                "document_sha256": document.sha256,
            }
        return Captured({AGREED: True}, shown)


class UploadTask:
    """The files the party uploaded before (PS-14 to PS-17, PS-40)."""

    async def capture(
        self, work: Work, session: PublicSessionRow, task: TaskRow, posted: Posted
    ) -> Captured:
        """The files there are, from now on the company's; refused while one is missing or unfit."""
        scope = UploadScope.of(task.upload or {})
        files = await uploads_of_task(work.db, task.id)
        errors = dict(reversed([*_file_faults(scope, files, posted.translate)]))
        if errors:
            raise AnswersRefused(errors)
        for each in files:
            each.submitted_at = work.at
            each.erase_at = work.at + scope.retention if scope.retention else None
        shown = {
            "upload": task.upload,
            "locale": posted.locale,
            "retention_days": session.retention_days,
        }
        return Captured({FILES: [_file(each) for each in files]}, shown)


def _file(row: UploadRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "slot": row.slot,
        "name": row.name,
        "kind": row.kind,
        "size": row.size,
        "sha256": row.sha256,
    }


def _file_faults(
    scope: UploadScope, files: Sequence[UploadRow], _: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Each place with what is wrong there; the unnamed place goes by the name of all files."""
    for each in files:
        named = {"name": each.name}
        if each.state == UploadState.INFECTED:
            text = _("A virus was found in %(name)s. Remove it and upload a clean file.")
            yield each.slot or FILES, text % named
        elif each.state == UploadState.UNSCANNABLE:
            text = _(
                "%(name)s is too large for our virus scanner. Remove it and upload a smaller file."
            )
            yield each.slot or FILES, text % named
        elif each.state == UploadState.CHECKING:
            text = _("%(name)s is still being checked for viruses. Send again in a moment.")
            yield each.slot or FILES, text % named
    missing = scope.missing(each.slot for each in files)
    for slot in missing:
        if slot.key:
            yield slot.key, _("%(title)s is still missing.") % {"title": slot.title}
    if len(missing) > len([each for each in missing if each.key]):
        numbers = {"least": scope.min_files, "count": len(files)}
        yield FILES, _("At least %(least)s files are needed; so far there are %(count)s.") % numbers


TASK_KINDS: dict[str, CapturesTask] = {
    TaskKind.FORM: FormTask(),
    TaskKind.ACKNOWLEDGMENT: StatementTask(),
    TaskKind.CONFIRMATION: StatementTask(),
    TaskKind.UPLOAD: UploadTask(),
    TaskKind.SIGNATURE: SignatureTask(),
}
