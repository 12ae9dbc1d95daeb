"""Email Content: the words of a workspace's mails, on pages (SH-16, SH-17, C19).

Everybody reads them; administrators pick a mail, edit it, look at it with sample data, and reset it
to its default. Whoever saves or resets says which edition was read, so that nobody writes over what
somebody else has written meanwhile.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.languages import available, language_name
from api.browser import field_of, pairs_within, refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.errors import status_of
from api.mail_frame import frames
from api.member_call import ConsoleCall, MemberCall
from api.shapes.mail_content import variables_of
from commands.mail_content import (
    MailPlace,
    ShownContent,
    change_mail_content,
    list_mail_contents,
    newest_default,
    reset_mail_content,
    show_mail_content,
)
from commands.mail_preview import preview_mail
from domain.mail import MailKind
from domain.mail_content import LONGEST_BODY, LONGEST_SUBJECT, MailFault, MailText
from domain.member_errors import MailContentMoved, MailContentRefused
from domain.permission import Permission

NAME = "Email Content"
PATH = "/settings/mail-contents"
PREVIEW = "preview"
LARGEST_FORM = 256 * 1024
"""A text of the longest that may be saved has 122 KB in a form, and a longer one is shown again."""
AUDIENCES: Mapping[str, tuple[MailKind, ...]] = {
    "party": tuple(each for each in MailKind if not each.to_issuer and not each.to_member),
    "issuer": tuple(each for each in MailKind if each.to_issuer),
    "member": tuple(each for each in MailKind if each.to_member),
}

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


async def _posted(request: Request) -> list[tuple[str, str]]:
    return await pairs_within(request, LARGEST_FORM)


PostedText = Annotated[list[tuple[str, str]], Depends(_posted)]


def _place(call: MemberCall, permission: Permission, mail: MailKind, language: str) -> MailPlace:
    """Which mail is meant, for a member who may."""
    call.needs(permission)
    return MailPlace(call.workspace_id, mail, language)


@router.get("", name=NAME)
async def get_contents(call: ConsoleCall) -> HTMLResponse:
    """Every mail: what it is for, and in each language whose words it has (C19)."""
    call.needs(Permission.SETTINGS_READ)
    found = await list_mail_contents(call.work, call.workspace_id)
    return _page(
        call,
        "mail_contents.html",
        audiences=_by_audience(found),
        newer=sum(each.has_newer for each in found),
    )


def _by_audience(
    found: Iterable[ShownContent],
) -> dict[str, dict[MailKind, list[ShownContent]]]:
    of_kind: dict[MailKind, list[ShownContent]] = {each: [] for each in MailKind}
    for each in found:
        of_kind[each.kind].append(each)
    return {name: {kind: of_kind[kind] for kind in kinds} for name, kinds in AUDIENCES.items()}


@router.get("/{mail}/{language}", name=NAME)
async def get_content(call: ConsoleCall, mail: MailKind, language: str) -> HTMLResponse:
    """One mail as it would be sent now, with sample data, and what may be done to it."""
    place = _place(call, Permission.SETTINGS_READ, mail, language)
    found = await show_mail_content(call.work, place)
    preview = await preview_mail(call.work, place, None)
    done = call.request.query_params.get("done", "")
    page = _page(call, "mail_content.html", content=found, preview=preview, done=done)
    return frames(page, preview.html)


@router.get("/{mail}/{language}/edit", name=NAME)
async def get_edit(call: ConsoleCall, mail: MailKind, language: str) -> HTMLResponse:
    """The form with the text that counts, and every variable with its meaning."""
    place = _place(call, Permission.SETTINGS_EDIT, mail, language)
    found = await show_mail_content(call.work, place)
    return _form_page(call, found, found.text, found.edition)


@router.post("/{mail}/{language}/edit", name=NAME)
async def post_edit(
    posted: PostedText, call: ConsoleCall, mail: MailKind, language: str
) -> Response:
    """Saves what was typed, or shows it as a mail; on any fault it is in the form as it was."""
    place = _place(call, Permission.SETTINGS_EDIT, mail, language)
    typed, edition = _text_of(posted), field_of(posted, "edition")
    try:
        if field_of(posted, "step") == PREVIEW:
            return await _preview_page(call, place, typed, edition)
        return await _save(call, place, typed, edition)
    except MailContentRefused as refused:
        found = await show_mail_content(call.work, place)
        return _form_page(call, found, typed, edition, refused)
    except MailContentMoved as moved:
        found = await show_mail_content(call.work, place)
        return _form_page(call, found, typed, found.edition, moved)


def _text_of(posted: list[tuple[str, str]]) -> MailText:
    """What was typed; browsers send lines with CRLF (HTML, 4.10.11)."""
    return MailText(field_of(posted, "subject"), field_of(posted, "body").replace("\r\n", "\n"))


async def _save(call: MemberCall, place: MailPlace, typed: MailText, edition: str) -> Response:
    """A text that is the one which counts is not made the workspace's own by that."""
    found = await show_mail_content(call.work, place)
    if typed == found.text:
        return _back(call, place, "nothing")
    await change_mail_content(call.work, place, typed, call.actor, edition)
    return _back(call, place, "saved")


async def _preview_page(
    call: MemberCall, place: MailPlace, typed: MailText, edition: str
) -> HTMLResponse:
    preview = await preview_mail(call.work, place, typed)
    found = await show_mail_content(call.work, place)
    return frames(_form_page(call, found, typed, edition, preview=preview), preview.html)


def _form_page(
    call: MemberCall,
    found: ShownContent,
    typed: MailText,
    edition: str,
    refused: MailContentRefused | MailContentMoved | None = None,
    **values: Any,
) -> HTMLResponse:
    return _page(
        call,
        "mail_content_edit.html",
        status_of(refused) if refused else 200,
        content=found,
        typed=typed,
        edition=edition,
        faults=_by_field(refused.faults if isinstance(refused, MailContentRefused) else ()),
        is_moved=isinstance(refused, MailContentMoved),
        variables=variables_of(found.kind),
        longest={"subject": LONGEST_SUBJECT, "body": LONGEST_BODY},
        **({"preview": None} | values),
    )


def _by_field(faults: Iterable[MailFault]) -> dict[str, list[MailFault]]:
    found: dict[str, list[MailFault]] = {"subject": [], "body": []}
    for each in faults:
        found[each.pointer.removeprefix("/")].append(each)
    return found


@router.get("/{mail}/{language}/reset", name=NAME)
async def get_reset(call: ConsoleCall, mail: MailKind, language: str) -> Response:
    """Asks, and shows what would be discarded and what would come instead."""
    place = _place(call, Permission.SETTINGS_EDIT, mail, language)
    found = await show_mail_content(call.work, place)
    if not found.is_own and not found.has_newer:
        return _back(call, place, "default")
    return _reset_page(call, place, found)


@router.post("/{mail}/{language}/reset", name=NAME)
async def post_reset(
    posted: PostedText, call: ConsoleCall, mail: MailKind, language: str
) -> Response:
    """Does it, unless there is something else to discard by now than what was shown."""
    place = _place(call, Permission.SETTINGS_EDIT, mail, language)
    try:
        await reset_mail_content(call.work, place, call.actor, field_of(posted, "edition"))
    except MailContentMoved as moved:
        found = await show_mail_content(call.work, place)
        return _reset_page(call, place, found, moved)
    return _back(call, place, "reset")


def _reset_page(
    call: MemberCall,
    place: MailPlace,
    found: ShownContent,
    moved: MailContentMoved | None = None,
) -> HTMLResponse:
    status = status_of(moved) if moved else 200
    known = {"content": found, "default": newest_default(place), "is_moved": moved is not None}
    return _page(call, "mail_content_reset.html", status, **known)


def _back(call: MemberCall, place: MailPlace, done: str) -> Response:
    return see_other(f"{office_of(call.workspace).base}{PATH}/{place.pin}?done={done}")


def _page(call: MemberCall, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    return member_page(
        call,
        name,
        status,
        path=PATH,
        languages=available(),
        spoken=language_name,
        may_edit=Permission.SETTINGS_EDIT in call.rights,
        **values,
    )
