"""How an editor's window is left: to send, with what it has not saved kept apart."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.member import Role
from tests.api.members import Console, open_console
from tests.api.test_console_agreements import AGREEMENTS, CARL, inputs, opened, saved
from tests.rooms.agreements import Desk
from tests.rooms.member_browser import make_member
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
