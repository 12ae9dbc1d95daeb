"""Pages of those whose windows lost their place: each draft by itself, used or let go (C7, N8)."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from httpx2 import Response

from domain.member import Role
from store.audit import AuditRow
from store.editing_session import EditingSessionRow
from tests.api.members import Console, open_console
from tests.api.test_console_agreements import AGREEMENTS, CARL, inputs, opened, saved
from tests.api.test_signing import Window, signer_of
from tests.rooms.agreements import Desk, place
from tests.rooms.house import House
from tests.rooms.member_browser import make_member
from tests.rooms.party_browser import PartyBrowser, words

USE = re.compile(r'name="use" value="([^"]+)"')
LET_GO = re.compile(r'name="let_go" value="([^"]+)"')
FIELDS = [
    place("title-1", "text", 1, required=False),
    place("start", "date", 1, required=False),
    place("signature-1", "signature", 1),
]


async def three(desk: Desk, browser: PartyBrowser) -> Window:
    """The third window of a signer: the two before had not saved everything."""
    signer = await signer_of(desk, browser, fields=FIELDS)
    first = await signer.opened()
    second = await signer.opened(take_over="yes")
    third = await signer.opened(take_over="yes")
    typed = {"field:title-1": "CEO", "field:start": "early in May"}
    lost = await first.post("values", script=True, **typed)
    assert (lost.status_code, lost.json()["kept"]) == (409, True)
    await second.post("values", script=True, **{"field:title-1": "CFO"})
    return third


async def test_two_windows_that_lost_are_shown_each_by_itself(
    house: House, browser: PartyBrowser
) -> None:
    third = await three(Desk(house), browser)
    beat = (await third.post("beat", script=True)).json()
    assert beat["left_behind"] == 3
    shown = await third.reload()
    assert f'data-newest="{beat["left_behind_newest"]}"' in page_of(shown).text
    for said in ("2 fields were not taken over", "1 field was not taken over", "CEO", "CFO"):
        assert said in shown.words
    copied = "does not fit its field, so it is not taken over. Copy what you need: Start early in"
    assert copied in shown.words
    used, let_go = USE.findall(page_of(shown).text), LET_GO.findall(page_of(shown).text)
    assert used == let_go
    assert len(set(used)) == 2


async def test_two_windows_that_lost_are_used_and_let_go_one_by_one(
    house: House, browser: PartyBrowser
) -> None:
    third = await three(Desk(house), browser)
    firsts, seconds = USE.findall(page_of(await third.reload()).text)
    await third.post("left-behind", use=seconds)
    after = await third.reload()
    assert 'value="CFO"' in page_of(after).text
    assert USE.findall(page_of(after).text) == [firsts]
    await third.post("left-behind", use=firsts, **{"field:title-1": "CFO"})
    after = await third.reload()
    assert 'value="CEO"' in page_of(after).text
    assert 'value="early in May"' not in page_of(after).text
    assert USE.findall(page_of(after).text) == [], "the rest can only be copied"
    assert "early in May" in after.words
    await third.post("left-behind", let_go=firsts, **{"field:title-1": "CEO"})
    assert "early in May" not in (await third.reload()).words
    told = [e for e in await house.all(AuditRow) if e.event == "signing_session.let_go"]
    assert [each.told["details"]["fence"] for each in told] == [1]


def page_of(window: Window) -> Response:
    assert window.page is not None
    return window.page


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    """Anna administers, Carl publishes."""
    async with open_console(database_url) as console:
        await make_member(console.house, CARL, "Carl Lund", Role.PUBLISHER)
        yield console


async def drafts(console: Console) -> list[str]:
    (row,) = await console.house.all(EditingSessionRow)
    return [each.id for each in row.drafts]


async def test_two_editors_who_lost_are_shown_used_and_let_go_one_by_one(console: Console) -> None:
    # Anna types, Carl takes over; Anna takes back, and Carl had typed something too.
    desk = Desk(console.house)
    whole = await desk.draft((await desk.party()).id)
    path = f"{AGREEMENTS}/{whole.row.id}/edit"
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        hers = await opened(anna, whole.row.id)
        his = await opened(carl, whole.row.id, take_over="yes")
        await saved(anna, hers, **{"title": "Anna's", "field.2.width": "40"})
        page = await opened(anna, whole.row.id, take_over="yes")
        await saved(carl, his, message="Carl's")
        window, fence = inputs(page)["window"], inputs(page)["fence"]
        page = await anna.get(f"{path}?window={window}")
        said = words(page)
        assert "Changes of yours that were not taken over Kept since" in said
        assert "Changes of Carl Lund that were not taken over Kept since" in said
        assert "40 % wide" in said
        annas, carls = await drafts(console)
        used = await anna.get(f"{path}?window={window}&use={carls}")
        assert (inputs(used)["title"], inputs(used)["message"]) == ("Supply agreement", "Carl's")
        after = await saved(anna, used)
        assert "Changes of Carl Lund" not in words(after)
        assert "Changes of yours that were not taken over" in words(after)
        assert await drafts(console) == [annas]
        gone = await anna.post(f"{path}/let-go", window=window, fence=fence, draft=annas)
        assert "The changes were let go" in words(await anna.follow(gone))
    assert await drafts(console) == []
    row = (await desk.now(whole.row.id)).row
    assert (row.title, row.message) == ("Supply agreement", "Carl's")
    let_go = [e for e in await console.house.all(AuditRow) if e.event == "editing_session.let_go"]
    assert [each.told["details"]["fence"] for each in let_go] == [2, 1]


async def test_a_draft_that_a_release_before_kept_is_shown(console: Console) -> None:
    desk = Desk(console.house)
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        async with console.house.transactions.work() as work:
            (found,) = await console.house.all(EditingSessionRow)
            row = await work.db.get_one(EditingSessionRow, found.id)
            row.left_behind = {"fence": 1, "at": "", "member": "", "changes": {"title": "Old"}}  # type: ignore[assignment]  # as it was
        window = inputs(page)["window"]
        path = f"{AGREEMENTS}/{whole.row.id}"
        assert "There are changes that were not taken over" in words(await anna.get(path))
        shown = await anna.get(f"{path}/edit?window={window}")
        assert "Old" in words(shown)
        used = await anna.get(f"{path}/edit?window={window}&use=first")
        assert inputs(used)["title"] == "Old"
        assert "Old" not in words(await saved(anna, used, title="Newest"))
    assert await drafts(console) == []
