"""What completing each kind of task captures: one class a kind (PS-10).

A new kind is one entry in `domain/task.py`, one check in `domain/session_template.py`, one class
here, and in `api/task_pages.py` with its page in `api/pages/tasks/` what the party sees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.form_check import check
from commands.pinned import pinned_document, pinned_form
from commands.work import Work
from domain.document import Document
from domain.errors import AnswersRefused
from domain.task import TaskKind
from store.public_session import PublicSessionRow, TaskRow

AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Posted:
    """What a browser posted for a task, in which language, with the page's gettext."""

    values: Mapping[str, Any]
    locale: str
    translate: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Captured:
    """What is kept: the body, and the evidence of what was shown."""

    body: dict[str, Any]
    evidence: dict[str, Any]


class CapturesTask(Protocol):
    """One kind of task."""

    async def capture(
        self, work: Work, session: PublicSessionRow, task: TaskRow, posted: Posted
    ) -> Captured:
        """What a completion keeps; raises `AnswersRefused` naming each field and limit."""


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
        document = await pinned_document(work, session, task)
        if document is not None:
            shown |= {
                "document": document.key,
                "document_version": document.version,
                "document_sha256": Document.of(document.body).sha256,
            }
        return Captured({AGREED: True}, shown)


TASK_KINDS: dict[str, CapturesTask] = {
    TaskKind.FORM: FormTask(),
    TaskKind.ACKNOWLEDGMENT: StatementTask(),
    TaskKind.CONFIRMATION: StatementTask(),
}
