"""What the page of each kind of task shows and reads: one class a kind (PS-10).

A kind's template is `api/pages/tasks/{kind}.html`; a completed task of any kind is shown by
`tasks/done.html`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from adapters.languages import translations_for
from adapters.markdown import render
from api.answers import Answers, answers_of
from api.form_post import values_from
from api.shapes.upload import PartyFile
from api.signature_page import SignaturePage
from api.task_page import Place, Posted, TaskPage
from api.upload_words import size_in_words
from commands.pinned import pinned_document
from commands.room import party_of
from commands.task_kind import AGREED, FILES
from commands.upload import scope_of
from domain.document import Document
from domain.errors import AnswersRefused
from domain.file_kind import FileKind
from domain.task import TaskKind
from domain.upload import UNNAMED, Slot, UploadScope
from store.public_session import submissions_of
from store.upload import uploads_of_task


class FormPage(TaskPage):
    """A form: prefilled with what is known, then with what was typed."""

    @override
    async def read(self, place: Place, posted: Posted) -> Mapping[str, Any]:
        return values_from(await place.form(), posted)

    @override
    async def show(
        self, place: Place, locale: str, refused: AnswersRefused | None
    ) -> dict[str, Any]:
        form = await place.form()
        if refused:
            return {"form": form, "values": refused.values}
        party = await party_of(place.work, place.room)
        known = {"name": party.name, "email": party.email, "attributes": party.attributes}
        return {"form": form, "values": form.prefilled(known)}

    @override
    async def recall(self, place: Place, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
        return {"answers": answers_of(await place.form(), body, locale), "document": None}


class StatementPage(TaskPage):
    """A statement to agree to, with the document it speaks of if there is one (PS-13)."""

    @override
    async def read(self, place: Place, posted: Posted) -> Mapping[str, Any]:
        return {AGREED: dict(posted).get(AGREED) == "yes"}

    @override
    async def show(
        self, place: Place, locale: str, refused: AnswersRefused | None
    ) -> dict[str, Any]:
        return {"document": await _document(place), "statement": place.task.statement}

    @override
    async def recall(self, place: Place, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
        return {"answers": (), "document": await _document(place)}


async def _document(place: Place) -> dict[str, Any] | None:
    row = await pinned_document(place.work, place.room.session, place.task)
    if row is None:
        return None
    document = Document.of(row.body)
    return {
        "title": document.title,
        "text": await asyncio.to_thread(render, document.markdown),
        "version": row.version,
        "published_at": row.published_at or row.created_at,
    }


class UploadPage(TaskPage):
    """Places for files, each with what is there; the files themselves come by `api/uploads.py`."""

    @override
    async def read(self, place: Place, posted: Posted) -> Mapping[str, Any]:
        return {}

    @override
    async def show(
        self, place: Place, locale: str, refused: AnswersRefused | None
    ) -> dict[str, Any]:
        scope = scope_of(place.task, place.work.settings)
        rows = await uploads_of_task(place.work.db, place.task.id)
        files = [PartyFile.of(each, locale) for each in rows]
        return {
            "scope": scope,
            "slots": [_slot(scope, each, files) for each in scope.slots],
            "accept": _accepted(scope),
            "kinds_text": _kinds_text(scope.kinds),
            "limits": [
                (_kinds_text(kinds), size_in_words(limit, locale))
                for limit, kinds in scope.kinds_by_limit
            ],
            "bytes_by_ending": _bytes_by_ending(scope),
        }

    @override
    async def recall(self, place: Place, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
        scope = UploadScope.of(place.task.upload or {})
        titles = {each.key: each.title for each in scope.required}
        unnamed = translations_for(locale).gettext("Files")
        sent = [
            (titles.get(each["slot"], unnamed), _sent_file(each, locale)) for each in body[FILES]
        ]
        return {"answers": (("", tuple(sent)),) if sent else (), "document": None}


def _slot(scope: UploadScope, slot: Slot, files: Sequence[PartyFile]) -> dict[str, Any]:
    return {
        "key": slot.key,
        "title": slot.title,
        "required": slot != UNNAMED or scope.min_files > len(scope.required),
        "files": [each for each in files if each.slot == slot.key],
    }


def _kinds_text(kinds: Sequence[FileKind]) -> str:
    return ", ".join(each.label for each in kinds)


def _bytes_by_ending(scope: UploadScope) -> dict[str, int]:
    """For the script: how many bytes a file may have, by the ending of its name."""
    return {
        ending: limit
        for limit, kinds in scope.kinds_by_limit
        for kind in kinds
        for ending in kind.extensions
    }


def _accepted(scope: UploadScope) -> str:
    """For a file input: endings, and media types, by which phones offer the camera."""
    endings = [f".{each}" for each in scope.extensions]
    return ",".join([*endings, *(each.media_type for each in scope.kinds)])


def _sent_file(file: Mapping[str, Any], locale: str) -> str:
    return f"{file['name']} ({size_in_words(file['size'], locale)})"


TASK_PAGES: dict[str, TaskPage] = {
    TaskKind.FORM: FormPage(),
    TaskKind.ACKNOWLEDGMENT: StatementPage(),
    TaskKind.CONFIRMATION: StatementPage(),
    TaskKind.UPLOAD: UploadPage(),
    TaskKind.SIGNATURE: SignaturePage(),
}


async def values_posted(place: Place, posted: Posted) -> Mapping[str, Any]:
    """What was posted for a task, read as its kind reads it."""
    return await TASK_PAGES[place.task.kind].read(place, posted)


async def shown_task(
    place: Place, locale: str, refused: AnswersRefused | None = None
) -> dict[str, Any]:
    """What a task's page is given: open with its values, or completed with what was sent."""
    kind = TASK_PAGES[place.task.kind]
    position = [each.key for each in place.room.tasks].index(place.task.key) + 1
    shown: dict[str, Any] = {"task": place.task, "position": position}
    if place.task.completed_at is None:
        return shown | await kind.show(place, locale, refused)
    return shown | await kind.recall(place, await _sent(place), locale)


async def _sent(place: Place) -> Mapping[str, Any]:
    """What was accepted for the task, the newest if there were several."""
    submissions = await submissions_of(place.work.db, place.room.session.id)
    return [each.body for each in submissions if each.task_id == place.task.id][-1]


async def typed_answers(place: Place, posted: Posted, locale: str) -> Answers:
    """What was typed for a form that could not be taken any more, to be copied from the page."""
    if place.task.kind != TaskKind.FORM:
        return ()
    form = await place.form()
    return answers_of(form, values_from(form, posted), locale)
