"""How an editor's window is left: to send, with what it has not saved kept apart."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from httpx2 import Response

from domain.member import Role
from store.editing_session import EditingSessionRow
from tests.api.members import Console, open_console
from tests.api.test_console_agreements import AGREEMENTS, CARL, inputs, opened, saved
from tests.rooms.agreements import Desk
from tests.rooms.member_browser import MemberBrowser, make_member
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    """Anna administers, Carl publishes."""
    async with open_console(database_url) as console:
        await make_member(console.house, CARL, "Carl Lund", Role.PUBLISHER)
        yield console


@pytest.fixture
def desk(console: Console) -> Desk:
    return Desk(console.house)


async def test_the_editors_own_way_to_sending_is_not_stopped_by_itself(
    console: Console, desk: Desk
) -> None:
    """EX-15, SX-6: it says good-bye first, without a script too; a stranger's stops it."""
    await desk.certify()
    whole = await desk.draft((await desk.party()).id)
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        ready = await saved(carl, page, action="send")
        assert "Send this agreement?" in words(ready)
        assert f'action="{carl.base}{path}/send"' in ready.text
        assert "its editor" not in words(ready)
        await opened(anna, whole.row.id)
        stopped = await carl.get(f"{path}/send")
        assert "Anna Berg is in its editor since" in words(stopped)
        assert f'action="{carl.base}{path}/send"' not in stopped.text
        lost = await saved(carl, page, action="send", title="Mine")
        assert "Anna Berg has taken this agreement over" in words(lost)
        assert "is kept apart" in words(lost)


async def test_what_is_not_saved_is_not_left_to_send(console: Console, desk: Desk) -> None:
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        shown = await saved(anna, page, action="send", title="Typed")
        assert shown.status_code == 422
        assert 'href="#save">Save it first: what is not saved is not sent.' in shown.text
        assert inputs(shown)["title"] == "Typed"
        page = await saved(anna, shown)
        assert "Saved as version 2" in words(page)
        assert "Send this agreement?" in words(await saved(anna, page, action="send"))


async def put_away(browser: MemberBrowser, agreement_id: UUID, page: Response, **typed: str) -> int:
    """What the page sends by itself, of what is typed into it."""
    sent = inputs(page) | typed
    path = f"{AGREEMENTS}/{agreement_id}/edit/left-behind"
    return (await browser.post(path, **sent)).status_code


async def kept(console: Console) -> list[dict[str, Any]]:
    """The changes that are kept apart, of each draft."""
    (row,) = await console.house.all(EditingSessionRow)
    return [dict(each.content) for each in row.drafts]


async def test_what_a_page_puts_away_is_its_own_to_take_back(console: Console, desk: Desk) -> None:
    """N8: kept by whoever has the place still; replaced, taken back or saved by the same page."""
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        assert await put_away(anna, whole.row.id, page, title="First") == 204
        assert await put_away(anna, whole.row.id, page, title="Second", message="Hello") == 204
        assert await kept(console) == [{"title": "Second", "message": "Hello"}]
        assert await put_away(anna, whole.row.id, page) == 204
        assert await kept(console) == []
        await put_away(anna, whole.row.id, page, title="Third")
        page = await saved(anna, page, title="Third")
        assert await kept(console) == []
        assert "Changes of yours" not in words(page)
        for action in ("save", "send"):
            await put_away(anna, whole.row.id, page, title="Fourth")
            page = await saved(anna, page, action=action)
            assert await kept(console) == [], action


async def test_a_page_replaces_nothing_that_another_left_behind(
    console: Console, desk: Desk
) -> None:
    """N8: it is shown to the next editor, who uses it or lets it go; nobody else's page does."""
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        page = await opened(anna, whole.row.id)
        await put_away(anna, whole.row.id, page, title="Anna's")
        theirs = await opened(carl, whole.row.id, take_over="yes")
        assert "Changes of Anna Berg that were not taken over" in words(theirs)
        await put_away(carl, whole.row.id, theirs, title="Carl's")
        theirs = await saved(carl, theirs, message="Hello")
        assert "Changes of Anna Berg that were not taken over" in words(theirs)
        assert await kept(console) == [{"title": "Anna's"}]


async def test_what_is_put_away_is_no_activity(console: Console, desk: Desk) -> None:
    """SX-3: the session ends by silence all the same, and what was typed is there afterwards."""
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        console.house.clock.turn(minutes=5, seconds=5)
        assert await put_away(anna, whole.row.id, page, title="Typed") == 204
        console.house.clock.turn(seconds=15)
        assert (await anna.get(AGREEMENTS)).status_code == 303
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        assert "Changes of yours that were not taken over" in words(page)
        assert "Typed" in words(page)
