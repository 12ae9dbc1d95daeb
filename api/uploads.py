"""Files of the party's room: sent as raw bytes by the page's script, or as a form without it.

The script is answered in JSON, a form with a page. A body is read as it comes, never kept whole.
"""

import re
from contextlib import aclosing
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from api.browser import refuse_cross_site, see_other, settings_of, visitor_of
from api.context import Begin
from api.errors import is_unavailable, problem_of
from api.ids import known_id
from api.party_pages import language_of
from api.refusals import TABLE
from api.room import task_page
from api.shapes.upload import PartyFile, PartyFiles
from api.upload_post import Part, parts_of, raw_chunks
from api.upload_sender import Sender, drain, sender_at
from api.upload_words import refusal_in_words
from commands.room import enter_to_act, enter_to_look, party_of
from commands.task_kind import FILES
from commands.upload import Incoming, remove_upload
from domain.errors import AnswersRefused, DomainError, NotFound
from domain.task import TaskKind
from domain.upload import UploadRefused
from store.upload import uploads_of_task

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)

OCTETS, FORM, JSON = "application/octet-stream", "multipart/form-data", "application/json"
ROUND_A_FILE = 64 * 1024
"""Bytes of a form that are not its files."""
STRANGER_DRAINED = 1024 * 1024
LONGEST_HEADER = 3000


@router.post("/sessions/{session_id}/tasks/{key}/files")
async def post_files(request: Request, session_id: str, key: str) -> Response:
    """Takes a file from the page's script, or files from its form."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == OCTETS:
        return await _answered_in_json(request, session_id, key)
    if media_type != FORM:
        raise HTTPException(415)
    try:
        sender = await sender_at(request, session_id, key)
    except DomainError:
        await drain(request, STRANGER_DRAINED)
        raise
    try:
        return await _take_form(request, sender)
    except Exception as error:
        await drain(request, _drained(sender, error))
        raise


async def _answered_in_json(request: Request, session_id: str, key: str) -> Response:
    sender = None
    try:
        sender = await sender_at(request, session_id, key)
        return await _take_bytes(request, sender)
    except Exception as error:
        if not isinstance(error, DomainError | HTTPException) and not is_unavailable(error):
            raise
        await drain(request, _drained(sender, error))
        return _problem(request, error, sender.locale if sender else "en")


def _drained(sender: Sender | None, error: Exception) -> int:
    """How much more is read of somebody who is answered with an error."""
    lost = isinstance(error, DomainError) and not isinstance(error, UploadRefused)
    return STRANGER_DRAINED if sender is None or lost else sender.scope.max_bytes + ROUND_A_FILE


def _problem(request: Request, error: Exception, locale: str) -> Response:
    """An error for the script; `reload` where the page itself is what has to be seen."""
    if not isinstance(error, DomainError):
        return problem_of(error, request.app.state.clock())
    meaning = TABLE[type(error)]
    if isinstance(error, UploadRefused):
        text = refusal_in_words(error.refusal, locale)
        return meaning.kind.response(text, meaning.members(error))
    return meaning.kind.response(str(error), {**meaning.members(error), "reload": True})


# One file as raw bytes.


async def _take_bytes(request: Request, sender: Sender) -> Response:
    incoming = _announced(request, sender)
    # The scope refuses earlier, with its reason: this is what nobody passes.
    most = sender.scope.max_bytes + ROUND_A_FILE
    stall = settings_of(request).upload_stall
    async with aclosing(raw_chunks(request, most_bytes=most, stall=stall)) as chunks:
        row = await sender.take(incoming, chunks)
    return _file_answer(PartyFile.of(row, sender.locale), 201)


def _announced(request: Request, sender: Sender) -> Incoming:
    """What the headers say; raises `HTTPException` 400 for what no script of ours sends."""
    length = request.headers.get("content-length", "")
    return Incoming(
        client_id=_id_in(request.headers.get("x-upload-id", "")),
        task=sender.task,
        slot=_text_in(request, "x-slot"),
        name=_text_in(request, "x-file-name"),
        announced=int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None,
        replaces=_replaced(request.headers.get("x-replaces", "")),
    )


def _id_in(raw: str) -> UUID:
    try:
        return UUID(raw)
    except ValueError as error:
        raise HTTPException(400, "X-Upload-Id is no id.") from error


def _replaced(raw: str) -> UUID | None:
    return _id_in(raw) if raw else None


def _text_in(request: Request, header: str) -> str:
    """A header's text in UTF-8, each byte that is no plain letter as `%` and two digits."""
    return unquote(request.headers.get(header, "")[:LONGEST_HEADER], errors="replace")


def _file_answer(file: PartyFile, status: int) -> Response:
    return JSONResponse(file.model_dump(mode="json"), status)


# Files as a form.


async def _take_form(request: Request, sender: Sender) -> Response:
    """Takes every file of a form; a page tells of those that were refused."""
    refused = _Refused(sender.locale)
    fields: dict[str, str] = {}
    most = sender.scope.max_files * (sender.scope.max_bytes + ROUND_A_FILE)
    stall = settings_of(request).upload_stall
    async with aclosing(parts_of(request, most_bytes=most, stall=stall)) as parts:
        async for part in parts:
            if not part.is_file:
                fields[part.name] = await part.text()
            elif part.file_name:
                await _take_part(sender, fields, part, refused)
    return await _form_answer(request, sender, refused)


class _Refused:
    """What was refused of a form, by the place it was for, and whether anything came."""

    def __init__(self, locale: str) -> None:
        self.errors: dict[str, str] = {}
        self._locale = locale

    def add(self, slot: str, name: str, refused: UploadRefused) -> None:
        known = self.errors.get(slot or FILES, "")
        text = f"{name}: {refusal_in_words(refused.refusal, self._locale)}"
        self.errors[slot or FILES] = f"{known} {text}".strip()


async def _take_part(sender: Sender, fields: dict[str, str], part: Part, refused: _Refused) -> None:
    slot, name = fields.get("slot", ""), part.file_name or ""
    # Without a script nobody knows an id for the file: a form sent twice is two files.
    incoming = Incoming(
        uuid4(), sender.task, slot, name, replaces=_replaced(fields.get("replaces", ""))
    )
    try:
        await sender.take(incoming, part.chunks)
    except UploadRefused as refusal:
        refused.add(slot, name, refusal)


async def _form_answer(request: Request, sender: Sender, refused: _Refused) -> Response:
    if not refused.errors:
        return _to_task(request, sender.task)
    async with sender.begin.work() as work:
        room = await enter_to_act(work, sender.visitor)
        return await task_page(request, work, room, sender.task, AnswersRefused(refused.errors))


def _to_task(request: Request, key: str) -> Response:
    session = request.path_params["session_id"]
    return see_other(f"/sessions/{session}/tasks/{key}")


# What is there.


@router.get("/sessions/{session_id}/tasks/{key}/files")
async def get_files(request: Request, session_id: str, key: str, begin: Begin) -> Response:
    """The files there are; the page asks by itself, which is no activity of a person."""
    try:
        async with begin.work() as work:
            room = await enter_to_look(work, visitor_of(request, session_id))
            task = room.task(key)
            if task.kind != TaskKind.UPLOAD:
                raise NotFound("task")
            locale = language_of(request, (await party_of(work, room)).locale)
            rows = await uploads_of_task(work.db, task.id)
    except DomainError as error:
        return _problem(request, error, "en")
    shown = PartyFiles(files=[PartyFile.of(each, locale) for each in rows])
    return JSONResponse(shown.model_dump(mode="json"))


@router.post("/sessions/{session_id}/tasks/{key}/files/{upload_id}/remove")
async def post_remove(request: Request, session_id: str, key: str, upload_id: str) -> Response:
    """Takes a file back that is not submitted yet; again changes nothing."""
    is_script = JSON in request.headers.get("accept", "")
    try:
        sender = await sender_at(request, session_id, key)
        async with sender.begin.work() as work:
            row = await remove_upload(work, sender.visitor, key, known_id(upload_id, "file"))
    except DomainError as error:
        if is_script:
            return _problem(request, error, "en")
        raise
    if row is not None:
        await sender.let_go(row)
    answer: dict[str, Any] = {"removed": upload_id}
    return JSONResponse(answer) if is_script else _to_task(request, key)
