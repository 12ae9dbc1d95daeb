"""The settings page: fields in units, faults at their place, an answer before saving (SH-4)."""

import html
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.setting_form import length_in_words
from domain.setting import SettingScope
from domain.setting_effect import Effect, mode_locks
from domain.settings import CATALOGUE
from store.workspace_setting import settings_of_workspace
from tests.api.members import BEN, Console, open_console
from tests.rooms.house import furnish
from tests.rooms.member_browser import MemberBrowser, set_here
from tests.rooms.party_browser import words

PATH = "/settings/session-and-links"
GRACE = "session.warning_grace"
ABSOLUTE = "session.absolute_timeout"
IDLE = "binding.idle"
PAGES = Path(__file__).parents[2] / "api" / "pages"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


async def own(console: Console) -> dict[str, Any]:
    async with console.house.transactions.work() as work:
        rows = await settings_of_workspace(work.db, console.house.workspace_id)
        return {each.name: each.value for each in rows}


async def send(browser: MemberBrowser, fields: dict[str, str]) -> Any:
    return await browser.post(PATH, **fields)


def minutes(number: str) -> dict[str, str]:
    return {"link.invitation": number, "link.invitation.unit": "minutes"}


async def test_only_administrators_see_and_change_them(console: Console) -> None:
    # SH-4, EE-16
    async with console.signed_in(email=BEN) as ben:
        for page in (await ben.get(PATH), await send(ben, minutes("30") | {"step": "confirm"})):
            assert page.status_code == 403
            assert "Access Denied : Session and Links Expiry Time" in words(page)
        assert PATH not in (await ben.get()).text
    async with console.signed_in() as anna:
        assert f"{anna.base}{PATH}" in (await anna.get()).text
    assert await own(console) == {}


async def test_every_setting_of_a_workspace_has_a_field_and_what_it_means(
    console: Console,
) -> None:
    # PS-44, N16, SH-4
    async with console.signed_in() as anna:
        page = html.unescape((await anna.get(PATH)).text)
    for each in CATALOGUE:
        if each.scope is SettingScope.WORKSPACE:
            assert f'name="{each.name}"' in page
            assert each.meaning in page, each.name
    assert "From 10 seconds to 10 minutes. Default: 15 seconds." in page
    assert "20 seconds or more are accessible (WCAG 2.2.1)" in page
    assert "Counts now: 1 day, the default." in page


async def test_every_setting_of_a_workspace_has_words(console: Console) -> None:
    # PS-44: in German, none of them in English
    async with console.signed_in() as anna:
        async with console.house.transactions.work() as work:
            (await work.db.merge(console.anna)).locale = "de"
        page = words(await anna.get(PATH))
    for each in CATALOGUE:
        if each.scope is SettingScope.WORKSPACE:
            assert each.name not in page
            assert f"{each.meaning}." not in page


def test_every_effect_has_words() -> None:
    # N16
    said = (PAGES / "console" / "setting_words.html").read_text(encoding="utf-8")
    assert [each for each in Effect if f'name == "{each}"' not in said] == []


async def test_where_it_is_set_otherwise_is_told(console: Console) -> None:
    # N16: on the page, and before saving
    house = console.house
    await furnish(house, settings={IDLE: 600})
    party = (await house.create()).party
    await house.issue_to(party, "intake", settings={IDLE: 300})
    async with console.signed_in() as anna:
        page = words(await anna.get(PATH))
        asked = words(await send(anna, {IDLE: "45", f"{IDLE}.unit": "minutes"}))
        await send(anna, {IDLE: "45", f"{IDLE}.unit": "minutes", "step": "confirm"})
    assert "The session template “intake” has its own: 10 minutes." in page
    assert "2 open public sessions have values of their templates or of their own." in page
    assert "From 30 minutes to 45 minutes" in asked
    assert "1 session template has its own value; what it issues is not affected." in asked
    assert "2 open public sessions keep what they were issued with." in asked
    assert "2 of them have values of their templates or of their own." in asked
    assert await own(console) == {IDLE: 2700}


async def test_what_is_locked_says_why(console: Console) -> None:
    # C17, EE-12
    async with console.signed_in() as anna:
        page = await anna.get(PATH)
    assert 'name="session.kill_retention"' not in page.text
    assert "It is set by whoever runs the installation." in words(page)
    for lock in mode_locks("session.allow_concurrent"):
        assert f"always On. {lock.reason}." in words(page)


async def test_saving_says_first_what_it_affects(console: Console) -> None:
    # N16, SH-20
    fields = {GRACE: "12", f"{GRACE}.unit": "seconds", "password.shortest": "12"}
    async with console.signed_in() as anna:
        page = await send(anna, fields)
        assert "From 15 seconds to 12 seconds" in words(page)
        assert "1 session goes on with the times it began with." in words(page)
        assert "20 seconds or more are accessible" in words(page)
        assert "Shortest password" not in words(page)
        assert await own(console) == {}
        saved = await anna.follow(await send(anna, fields | {"step": "confirm"}))
        assert "Saved" in words(saved)
        assert "Counts now: 12 seconds, set here." in words(saved)
    assert await own(console) == {GRACE: 12}


async def test_units_are_those_that_were_chosen(console: Console) -> None:
    chosen = {ABSOLUTE: "2", f"{ABSOLUTE}.unit": "hours", "session.limit_absolutely": "off"}
    async with console.signed_in() as anna:
        await send(anna, chosen | minutes("90") | {"step": "confirm"})
    wanted = {ABSOLUTE: 7200, "session.limit_absolutely": False, "link.invitation": 5400}
    assert await own(console) == wanted


@pytest.mark.parametrize("typed", ["4", "5o", "-60", "", "9" * 40, "٣٠", "1.5"])
async def test_a_fault_is_at_its_field_and_nothing_typed_is_lost(
    console: Console, typed: str
) -> None:
    fields = minutes(typed) | {"login.guest_name": "Somebody <b>"}
    for step in ("", "confirm"):
        async with console.signed_in() as anna:
            page = await send(anna, fields | {"step": step})
        assert page.status_code == 422
        said = f"so that it is from 5 minutes to 30 days. You typed “{typed}”."
        assert words(page).count(said) == 2
        assert 'href="#link-invitation"' in page.text
        assert 'id="link-invitation-error"' in page.text
        assert f'value="{typed}"' in page.text
        assert 'value="Somebody &lt;b&gt;"' in page.text
    assert await own(console) == {}


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("login.guest_name", "", "Type 1 to 200 characters."),
        ("login.guest_name", "a\0b", "Type 1 to 200 characters."),
        ("session.overflow", "explode", "Choose one of these."),
        ("session.limit_absolutely", "maybe", "Choose one of these."),
        ("session.concurrent_limit", "6", "from 1 to 5"),
        ("exit.url", "http://demo.example/", "that begins with https://. You typed"),
        ("exit.url", "https://demo.example/?y=ü", "such as “ü” encoded, as “%C3%BC”."),
        ("exit.url", f"https://demo.example/{'x' * 200}", "of at most 200 characters."),
    ],
)
async def test_each_kind_of_fault_is_named(
    console: Console, name: str, typed: str, said: str
) -> None:
    async with console.signed_in() as anna:
        page = await send(anna, {name: typed})
    assert page.status_code == 422
    assert said in words(page)


async def test_going_back_keeps_what_was_typed(console: Console) -> None:
    async with console.signed_in() as anna:
        page = await send(anna, minutes("45") | {"step": "back"})
    assert page.status_code == 200
    assert 'name="link.invitation" value="45"' in page.text
    assert await own(console) == {}


async def test_a_setting_goes_back_to_the_installation(console: Console) -> None:
    # N16
    await set_here(console.house, session_absolute_timeout=3600, link_invitation=3600)
    async with console.signed_in() as anna:
        assert "Go back to the installation's value: 1 day" in words(await anna.get(PATH))
        page = await send(anna, {"reset": ABSOLUTE, ABSOLUTE: "nonsense"})
        assert "From 1 hour to 1 day" in words(page)
        assert f'name="reset" value="{ABSOLUTE}"' in page.text
        same = await send(anna, {"reset": "link.invitation"})
        assert "from now on it follows the installation's" in words(same)
        await send(anna, {"reset": ABSOLUTE, "step": "confirm"})
    assert await own(console) == {"link.invitation": 3600}


async def test_what_is_not_the_workspaces_is_not_set(console: Console) -> None:
    async with console.signed_in() as anna:
        page = await send(anna, {"mail.kept_for": "9", "reset": "mail.kept_for", "step": "confirm"})
    assert "Nothing is different, so nothing was saved." in words(page)
    assert await own(console) == {}


async def test_the_page_speaks_german(console: Console) -> None:
    async with console.signed_in() as anna:
        async with console.house.transactions.work() as work:
            member = await work.db.merge(console.anna)
            member.locale = "de"
        page = await anna.get(PATH)
        asked = await send(anna, minutes("45"))
    assert "Ablaufzeiten von Sitzungen und Links" in words(page)
    assert "Gilt jetzt: 15 Sekunden, die Vorgabe." in words(page)
    assert "1 Stunde" in words(asked)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 seconds"), (8000, "2 hours, 13 minutes, 20 seconds"), (86_400, "1 day")],
)
def test_a_length_is_said_exactly(seconds: int, said: str) -> None:
    assert length_in_words(seconds, "en") == said
