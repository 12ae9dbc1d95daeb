"""The reports as pages, for administrators and auditors, with filters and a file (EE-15, EE-16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.console_pages import member_page
from api.context import Begin
from api.day import begins, day_in, is_over
from api.ids import id_in
from api.member_call import ConsoleCall, MemberCall
from api.report_file import every_line, read_logins, read_visits, report_file
from api.shapes.report import LOGIN_HEAD, VISIT_HEAD
from commands.access_report import Wanted
from commands.login import LoginOutcome
from domain.browser_name import browser_and_system
from domain.permission import Permission
from store.access import AccessFilter
from store.member import members_page

LOGINS, ACCESS = "Log: Login", "Log: Application"
ON_A_PAGE = 50
MOST_MEMBERS = 200
FILTERS = ("member", "outcome", "denied", "since", "until")
MALFORMED = 422

router = APIRouter(prefix="/console/{workspace}/reports", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they were typed, what they mean, and which of them cannot be read."""

    typed: Mapping[str, str]
    only: AccessFilter
    faulty: tuple[str, ...]


def asked_of(request: Request, zone: str) -> Asked:
    """The filters of an address; days are those of a zone, the last one included."""
    typed = {name: request.query_params.get(name, "") for name in FILTERS}
    days = {name: day_in(typed[name]) for name in ("since", "until")}
    faulty = tuple(name for name, day in days.items() if typed[name] and day is None)
    since, until = days["since"], days["until"]
    only = AccessFilter(
        member=id_in(typed["member"]),
        outcome=typed["outcome"] if typed["outcome"] in set(LoginOutcome) else None,
        denied=True if typed["denied"] == "yes" else None,
        since=begins(since, zone) if since else None,
        until=is_over(until, zone) if until else None,
    )
    return Asked(typed, only, faulty)


@router.get("/logins", name=LOGINS)
async def get_logins(call: ConsoleCall, begin: Begin) -> Response:
    """Who signed in or tried to: time, person, status, way and device."""
    asked, wanted = _wanted(call)
    if _is_file_wanted(call, asked):
        return await report_file(
            "logins.csv", LOGIN_HEAD, every_line(call.work, begin, wanted, read_logins)
        )
    rows, following = await read_logins(call.work, wanted)
    devices = {each.id: browser_and_system(each.device) for each in rows}
    known = {"rows": rows, "devices": devices, "outcomes": list(LoginOutcome)}
    return await _page(call, "report_logins.html", asked, following, **known)


@router.get("/access", name=ACCESS)
async def get_access(call: ConsoleCall, begin: Begin) -> Response:
    """Which pages were opened, by whom, and which were denied."""
    asked, wanted = _wanted(call)
    if _is_file_wanted(call, asked):
        return await report_file(
            "access.csv", VISIT_HEAD, every_line(call.work, begin, wanted, read_visits)
        )
    rows, following = await read_visits(call.work, wanted)
    return await _page(call, "report_access.html", asked, following, rows=rows)


def _wanted(call: MemberCall) -> tuple[Asked, Wanted]:
    call.needs(Permission.REPORTS_READ)
    asked = asked_of(call.request, call.member.zone)
    cursor = call.request.query_params.get("cursor")
    return asked, Wanted(call.workspace_id, asked.only, cursor, ON_A_PAGE)


def _is_file_wanted(call: MemberCall, asked: Asked) -> bool:
    """Whether a file is asked for, and every filter can be read."""
    return call.request.query_params.get("format") == "csv" and not asked.faulty


async def _page(
    call: MemberCall, name: str, asked: Asked, following: str | None, **values: Any
) -> Response:
    members, _ = await members_page(call.work.db, call.workspace_id, None, MOST_MEMBERS)
    query = {name: text for name, text in asked.typed.items() if text}
    return member_page(
        call,
        name,
        MALFORMED if asked.faulty else 200,
        typed=asked.typed,
        faulty=asked.faulty,
        members=members,
        file_query=urlencode({**query, "format": "csv"}),
        next_query=urlencode({**query, "cursor": following}) if following else "",
        **values,
    )
