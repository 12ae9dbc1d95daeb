"""An administrator invites somebody to the workspace; the mailed link makes the account."""

from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from adapters.languages import available, language_name
from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_members import NAME, PATH
from api.console_pages import member_page, office_of
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall
from api.party_pages import language_of
from commands.member import invite_member
from domain.errors import DomainError
from domain.member import MemberFields, Role
from domain.member_errors import MemberExists, MemberInvalid
from domain.permission import Permission

FIELDS = ("email", "name", "role", "locale")
NUL = "\0"

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("/invite", name=NAME)
async def get_invite(call: ConsoleCall) -> HTMLResponse:
    """Asks for address, name, role and language."""
    call.needs(Permission.MEMBERS_MANAGE)
    typed = {"email": "", "name": "", "role": Role.AUDITOR.value, "locale": call.member.locale}
    return _page(call, typed)


@router.post("/invite", name=NAME)
async def post_invite(posted: PostedPairs, call: ConsoleCall) -> Response:
    """Mails the link; what is wrong is told at its field, and nothing typed is lost."""
    call.needs(Permission.MEMBERS_MANAGE)
    typed = {name: field_of(posted, name).strip().replace(NUL, "") for name in FIELDS}
    try:
        wanted = MemberFields(
            typed["email"], typed["name"], _role(typed), typed["locale"], call.member.zone
        )
        invited = await invite_member(call.work, call.workspace_id, wanted, call.actor)
    except (MemberInvalid, MemberExists) as refused:
        return _page(call, typed, refused)
    base = office_of(call.workspace).base
    return see_other(f"{base}{PATH}/{invited.member.id}?done=invite")


def _role(typed: dict[str, str]) -> Role:
    """The chosen role; the one that changes nothing if somebody sent what is none."""
    return Role(typed["role"]) if typed["role"] in set(Role) else Role.AUDITOR


def _page(
    call: MemberCall, typed: dict[str, str], refused: DomainError | None = None
) -> HTMLResponse:
    shown = language_of(call.request, call.member.locale)
    return member_page(
        call,
        "member_invite.html",
        status_of(refused) if refused else 200,
        typed=typed,
        faults=_faults(refused),
        roles=list(Role),
        languages={each: language_name(each, shown) for each in available()},
    )


def _faults(refused: DomainError | None) -> dict[str, Any]:
    """What is wrong by field: `exists`, or the word of its own fault."""
    if isinstance(refused, MemberExists):
        return {"email": "exists"}
    found = refused.faults if isinstance(refused, MemberInvalid) else ()
    return {each.pointer.strip("/"): "invalid" for each in found}
