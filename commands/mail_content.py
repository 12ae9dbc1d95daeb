"""The words of a workspace's mails: its own, or the default it was created with (SH-16, C19)."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from hashlib import sha256
from uuid import UUID

from adapters.languages import available, negotiate
from adapters.mail_default import default_text
from adapters.mail_template import newest_version
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import MailKind
from domain.mail_content import FIRST_VERSION, MailText, Wording, faults_of
from domain.member_errors import MailContentMoved, MailContentRefused
from store.mail_content import MailContentRow, mail_content, mail_contents
from store.workspace import WorkspaceRow, workspace_by_id

EDITION = 32
"""Characters of an edition."""


@dataclass(frozen=True, slots=True)
class MailPlace:
    """Which mail of which workspace, in which language."""

    workspace_id: UUID
    kind: MailKind
    language: str

    @property
    def pin(self) -> str:
        """Where a workspace keeps which version of the default it was reset to."""
        return f"{self.kind}/{self.language}"


@dataclass(frozen=True, slots=True)
class ShownContent:
    """A mail's text as it counts, and which default is behind it.

    `version` is that of the default which counts, or would without an own text.
    """

    kind: MailKind
    language: str
    text: MailText
    is_own: bool
    version: int
    newest: int

    @property
    def has_newer(self) -> bool:
        """Whether there is a newer default, which a reset takes (C19)."""
        return self.newest > self.version

    @property
    def is_left_out(self) -> bool:
        """Whether it is an own text that today's rules refuse: the default is sent instead."""
        return self.is_own and bool(faults_of(self.kind, self.text))

    @property
    def edition(self) -> str:
        """Tells this text from any other that the mail may have: who writes says what it read."""
        known = json.dumps([*astuple(self.text), self.is_own, self.version])
        return sha256(known.encode()).hexdigest()[:EDITION]


async def wording_of(work: Work, workspace: WorkspaceRow, kind: MailKind, locale: str) -> Wording:
    """Which words a mail to somebody with this language has.

    An own text that today's rules would refuse is not used: the mail is sent all the same.
    """
    place = MailPlace(workspace.id, kind, negotiate(None, locale))
    row = await mail_content(work.db, workspace.id, kind, place.language)
    own = row.text if row and not faults_of(kind, row.text) else None
    return Wording(_version(workspace, place), own)


def _version(workspace: WorkspaceRow, place: MailPlace) -> int:
    pins = workspace.mail_versions or {}
    return pins.get(place.pin, pins.get(place.kind, FIRST_VERSION))


async def show_mail_content(work: Work, place: MailPlace) -> ShownContent:
    """A mail's text in a language; raises `NotFound` for a language that there is not."""
    refuse_language(place)
    workspace = await workspace_by_id(work.db, place.workspace_id)
    row = await mail_content(work.db, place.workspace_id, place.kind, place.language)
    return _shown(workspace, place, row)


async def list_mail_contents(work: Work, workspace_id: UUID) -> list[ShownContent]:
    """Every mail in every language."""
    workspace = await workspace_by_id(work.db, workspace_id)
    rows = await mail_contents(work.db, workspace_id)
    own: Mapping[tuple[str, str], MailContentRow] = {(e.kind, e.language): e for e in rows}
    places = [MailPlace(workspace_id, kind, each) for kind in MailKind for each in available()]
    return [_shown(workspace, each, own.get((each.kind, each.language))) for each in places]


def _shown(workspace: WorkspaceRow, place: MailPlace, row: MailContentRow | None) -> ShownContent:
    newest = newest_version(place.kind)
    version = min(_version(workspace, place), newest)
    text = row.text if row else default_text(place.kind, version, place.language)
    return ShownContent(place.kind, place.language, text, row is not None, version, newest)


def refuse_language(place: MailPlace) -> None:
    """Raises `NotFound` for a language that there is not."""
    if place.language not in available():
        raise NotFound("mail content")


def newest_default(place: MailPlace) -> MailText:
    """What a reset would bring; raises `NotFound` for a language that there is not."""
    refuse_language(place)
    return default_text(place.kind, newest_version(place.kind), place.language)


async def change_mail_content(
    work: Work, place: MailPlace, text: MailText, actor: Actor, edition: str | None = None
) -> ShownContent:
    """Gives a mail the workspace's own text, from the next one sent on.

    `edition` is that of the text which was read, None for whatever there is. Raises `NotFound`,
    `MailContentRefused` naming every fault, or `MailContentMoved`.
    """
    refuse_language(place)
    refuse_faulty(place.kind, text)
    await workspace_by_id(work.db, place.workspace_id, lock=True)
    _refuse_moved(await show_mail_content(work, place), edition)
    row = await mail_content(work.db, place.workspace_id, place.kind, place.language)
    if row is None or row.text != text:
        _write(work, place, row, text)
        await work.db.flush()
        _audit(work, AuditEvent.MAIL_CONTENT_CHANGED, place, actor)
    return await show_mail_content(work, place)


def _refuse_moved(found: ShownContent, edition: str | None) -> None:
    if edition is not None and edition != found.edition:
        raise MailContentMoved


def _write(work: Work, place: MailPlace, row: MailContentRow | None, text: MailText) -> None:
    written = row or MailContentRow(
        workspace_id=place.workspace_id,
        kind=place.kind,
        language=place.language,
        subject="",
        body="",
        changed_at=work.at,
    )
    written.subject, written.body, written.changed_at = text.subject, text.body, work.at
    work.db.add(written)


def refuse_faulty(kind: MailKind, text: MailText) -> None:
    """Raises `MailContentRefused` for what may not be saved."""
    if faults := faults_of(kind, text):
        raise MailContentRefused(faults)


async def reset_mail_content(
    work: Work, place: MailPlace, actor: Actor, edition: str | None = None
) -> ShownContent:
    """Discards the workspace's own text and takes the newest default; again is harmless (SH-17).

    `edition` as in `change_mail_content`. Raises `NotFound`, or `MailContentMoved`.
    """
    workspace = await workspace_by_id(work.db, place.workspace_id, lock=True)
    before = await show_mail_content(work, place)
    _refuse_moved(before, edition)
    if before.is_own or before.has_newer:
        row = await mail_content(work.db, place.workspace_id, place.kind, place.language)
        if row is not None:
            await work.db.delete(row)
        workspace.mail_versions = (workspace.mail_versions or {}) | {place.pin: before.newest}
        await work.db.flush()
        _audit(work, AuditEvent.MAIL_CONTENT_RESET, place, actor)
    return await show_mail_content(work, place)


def _audit(work: Work, event: AuditEvent, place: MailPlace, actor: Actor) -> None:
    work.audit_subject(event, place.workspace_id, f"mail_content:{place.pin}", actor)
