"""Renders the party's pages: one environment, and what every page of a session says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.lists import format_list
from babel.units import format_unit
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.countries import for_jinja as install_countries
from adapters.languages import for_jinja, negotiate
from adapters.mail_rendering import grouped
from api.static_files import address_of
from commands.door import Door
from domain.public_session import PublicSession
from domain.task import TaskState
from store.party import PartyRow
from store.public_session import PublicSessionRow, TaskRow
from store.workspace import WorkspaceRow

PAGES = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What every page of one session says, and how; nothing else of the workspace (PS-31)."""

    company: str
    contact: str
    title: str
    subject: str
    party: str
    expires_at: datetime
    at: datetime
    locale: str
    zone: str

    @property
    def left(self) -> timedelta:
        """How long the session is still open."""
        return max(self.expires_at - self.at, timedelta())


def occasion_of(
    request: Request,
    session: PublicSessionRow,
    party: PartyRow,
    workspace: WorkspaceRow,
    at: datetime,
) -> Occasion:
    """The occasion of a session's rows, in the party's language."""
    return Occasion(
        company=workspace.name,
        contact=workspace.contact,
        title=session.title,
        subject=session.subject,
        party=party.name,
        expires_at=session.expires_at,
        at=at,
        locale=language_of(request, party.locale),
        zone=party.zone,
    )


def door_occasion(request: Request, door: Door, at: datetime) -> Occasion:
    """The occasion of the session behind a link."""
    return occasion_of(request, door.session, door.party, door.workspace, at)


@dataclass(frozen=True, slots=True)
class Step:
    """One task as the pages show it."""

    key: str
    kind: str
    title: str
    help: str
    state: TaskState
    completed_at: datetime | None


def steps_of(value: PublicSession, tasks: Sequence[TaskRow]) -> tuple[Step, ...]:
    """The tasks in order, each with where it stands."""
    return tuple(
        Step(row.key, row.kind, row.title, row.help, value.state_of(task), row.completed_at)
        for row, task in zip(tasks, value.tasks, strict=True)
    )


def language_of(request: Request, preferred: str | None = None) -> str:
    """The language of a page: the party's, or for a stranger the browser's best."""
    return negotiate(request.headers.get("accept-language"), preferred)


def page(name: str, locale: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page in a language; a value that a template needs and does not get is an error."""
    tag, direction = _language_tag(locale)
    template = _environment().get_template(name)
    html = template.render(locale=locale, lang=tag, dir=direction, **values)
    return HTMLResponse(html, status, headers={"content-language": tag, "vary": "Cookie"})


def page_of(occasion: Occasion, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page of a session."""
    return page(name, occasion.locale, status, it=occasion, zone=occasion.zone, **values)


def time_in_words(length: timedelta, locale: str) -> str:
    """A length as its two largest units: "13 days, 4 hours"; under a minute counts as one."""
    minutes = max(1, -(-length // timedelta(minutes=1)))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    said = [
        format_unit(number, f"duration-{unit}", length="long", locale=locale)
        for number, unit in parts
        if number
    ]
    return str(format_list(said[:2], style="unit", locale=locale))


def _language_tag(locale: str) -> tuple[str, str]:
    """The BCP 47 tag of a language and which way it is written."""
    return locale.replace("_", "-"), Locale.parse(locale).text_direction


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for_jinja(env)
    install_countries(env)
    env.globals.update(static=address_of, in_words=time_in_words)
    env.filters["grouped"] = grouped
    return env
