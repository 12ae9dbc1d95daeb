"""Renders the members' pages: what each of them says of the workspace and of who is signed in."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.member_call import MemberCall
from api.party_pages import language_of, page
from domain.sign_in import MODES, Capabilities, SignInMode
from store.member_session import MemberSessionRow
from store.workspace import WorkspaceRow


@dataclass(frozen=True, slots=True)
class Office:
    """The workspace as its members' pages name it."""

    company: str
    contact: str
    base: str
    """The path that every page of the workspace begins with."""


def office_of(workspace: WorkspaceRow) -> Office:
    """A workspace's row for a page."""
    return Office(workspace.name, workspace.contact, f"/console/{workspace.key}")


def ways_of(session: MemberSessionRow) -> Capabilities:
    """What a session's way of signing in can do: whether there is anything to log out of."""
    return MODES[SignInMode(session.mode)]


def outside_page(
    request: Request, workspace: WorkspaceRow, name: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page for somebody who is not signed in, in the browser's language."""
    office = office_of(workspace)
    return page(f"console/{name}", language_of(request), status, it=office, me=None, **values)


def member_page(call: MemberCall, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for a member, in the member's language and zone."""
    return page(
        f"console/{name}",
        language_of(call.request, call.member.locale),
        status,
        it=office_of(call.workspace),
        me=call.member,
        acting_for=call.found.acting_for,
        session=call.session.value,
        ways=ways_of(call.session),
        at=call.work.at,
        zone=call.member.zone,
        **values,
    )
