"""The room: what the bound browser sees and does, what others are told (PS-27, PS-31, SX-9)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI

from commands.public_session import revoke
from store.binding import BindingRow
from store.public_session import PublicSessionRow, SubmissionRow
from tests.rooms.house import FORM, House, furnished_house
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at, rows, words


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with furnished_house(database_url) as house:
        yield house


@pytest_asyncio.fixture
async def session(house: House) -> PublicSessionRow:
    moved = await house.create(name="Vera & Sons", attributes={"company": "Vera's Best"})
    return moved.issued[0]


@pytest.fixture
def app(house: House) -> FastAPI:
    return app_of(house)


@pytest_asyncio.fixture
async def browser(app: FastAPI, house: House) -> AsyncIterator[PartyBrowser]:
    async with browser_at(app, house) as browser:
        yield browser


@pytest_asyncio.fixture
async def room(browser: PartyBrowser, session: PublicSessionRow) -> str:
    """The path of a room in which `browser` is."""
    return await browser.verify(session.id)


async def do_everything(browser: PartyBrowser, room: str) -> None:
    await browser.post(f"{room}/tasks/profile", company="ACME")
    await browser.post(f"{room}/tasks/terms", agreed="yes")


async def test_a_stranger_learns_nothing(
    app: FastAPI, house: House, room: str, browser: PartyBrowser
) -> None:
    """PS-27: without the cookie the room, an unknown one and a malformed one look the same."""
    async with browser_at(app, house) as stranger:
        paths = (room, f"{room}/tasks/profile", "/sessions/" + "0" * 32, "/sessions/x")
        pages = [await stranger.get(path) for path in paths]
        assert {each.status_code for each in pages} == {404}
        assert len({each.content for each in pages}) == 1
        for verb in ("quit", "stay", "decline", "tasks/profile"):
            assert (await stranger.post(f"{room}/{verb}", reason="x")).status_code == 404
    assert (await browser.get(room)).status_code == 200


async def test_a_cookie_opens_its_own_room_only(
    house: House, browser: PartyBrowser, room: str
) -> None:
    """SX-8: two sessions in one browser stand side by side, each with its cookie."""
    other = (await house.create(email="otto@vendor.example", name="Otto KG")).issued[0]
    assert (await browser.get(f"/sessions/{other.id}")).status_code == 404
    await browser.verify(other.id)
    assert "You are here for Otto KG" in words(await browser.get(f"/sessions/{other.id}"))
    assert "You are here for Vera & Sons" in words(await browser.get(room))
    await browser.post(f"/sessions/{other.id}/quit")
    assert (await browser.get(room)).status_code == 200


async def test_the_whole_way_without_javascript(
    house: House, session: PublicSessionRow, browser: PartyBrowser, room: str
) -> None:
    """Every step by plain forms: list, form, document, done; each post leads on (PS-10, PS-13)."""
    first = words(await browser.get(room))
    assert "0 of 2 done" in first
    assert "You are here for Vera & Sons" in first
    form = await browser.get(f"{room}/tasks/profile")
    assert 'value="Vera&#39;s Best"' in form.text, "prefilled from the party"
    sent = await browser.post(f"{room}/tasks/profile", company="ACME")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{room}/tasks/terms")
    terms = words(await browser.get(f"{room}/tasks/terms"))
    assert "Be kind." in terms
    assert "Version 1" in terms
    assert "I have read the terms." in terms
    assert "1 of 2 done" in words(await browser.get(room))
    house.clock.turn(minutes=3)
    last = await browser.post(f"{room}/tasks/terms", agreed="yes")
    assert (last.status_code, last.headers["location"]) == (303, room)
    done = await browser.get(room)
    assert done.status_code == 200
    assert "All done, thank you" in words(done)
    assert "Monday, 2 March 2026, 09:03 UTC" in words(done)
    assert (await house.session(session.id)).status == "completed"
    bodies = [each.body for each in await rows(house, SubmissionRow)]
    assert bodies == [{"company": "ACME"}, {"agreed": True}]


async def test_refused_answers_come_back_as_typed(browser: PartyBrowser, room: str) -> None:
    page = await browser.post(f"{room}/tasks/profile", company="x" * 600)
    assert page.status_code == 422
    assert "x" * 600 in page.text
    assert 'id="error-summary"' in page.text
    assert "<title>Error" in page.text
    page = await browser.post(f"{room}/tasks/profile", company="")
    assert "This answer is needed." in words(page)


async def test_a_statement_needs_its_tick(browser: PartyBrowser, room: str) -> None:
    await browser.post(f"{room}/tasks/profile", company="ACME")
    for fields in ({}, {"agreed": "no"}):
        page = await browser.post(f"{room}/tasks/terms", **fields)
        assert page.status_code == 422
        assert "Tick the box" in words(page)


async def test_steps_come_in_order(house: House, browser: PartyBrowser, room: str) -> None:
    """PS-11: a later step opens nothing and names the one that comes first."""
    for page in (
        await browser.get(f"{room}/tasks/terms"),
        await browser.post(f"{room}/tasks/terms", agreed="yes"),
    ):
        assert page.status_code == 409
        assert "“Profile” is next" in words(page)
    assert not await rows(house, SubmissionRow)
    assert (await browser.get(f"{room}/tasks/nothing")).status_code == 404


async def test_a_second_submit_lands_in_the_room(
    house: House, browser: PartyBrowser, room: str
) -> None:
    """SX-5: double click, double submit and back button: the first answer stands, no error."""
    await browser.post(f"{room}/tasks/profile", company="First")
    again = await browser.post(f"{room}/tasks/profile", company="Second")
    assert (again.status_code, again.headers["location"]) == (303, room)
    await browser.post(f"{room}/tasks/terms", agreed="yes")
    after = await browser.post(f"{room}/tasks/terms", agreed="yes")
    assert (after.status_code, after.headers["location"]) == (303, room)
    bodies = [each.body for each in await rows(house, SubmissionRow)]
    assert bodies == [{"company": "First"}, {"agreed": True}]


async def test_what_was_sent_can_be_read_again_here_only(
    app: FastAPI, house: House, session: PublicSessionRow, browser: PartyBrowser, room: str
) -> None:
    await browser.post(f"{room}/tasks/profile", company="<ACME & Söhne>")
    page = await browser.get(f"{room}/tasks/profile")
    assert "Done on Monday, 2 March 2026" in words(page)
    assert "&lt;ACME &amp; Söhne&gt;" in page.text
    assert 'name="company"' not in page.text
    house.clock.turn(minutes=2)
    async with browser_at(app, house) as second:
        await second.verify(session.id)
        assert "ACME" not in (await browser.get(f"{room}/tasks/profile")).text


async def test_quit_is_on_every_page_and_ends_only_this_place(
    house: House, session: PublicSessionRow, browser: PartyBrowser, room: str
) -> None:
    """SX-9: always at the top; the session goes on, its cookie and no other is gone."""
    for path in (room, f"{room}/tasks/profile", f"{room}/tasks/terms", f"{room}/decline"):
        page = await browser.get(path)
        assert page.text.index(f'action="{room}/quit"') < page.text.index("<main")
    left = await browser.post(f"{room}/quit")
    assert left.status_code == 200
    assert "You have left" in words(left)
    assert f"/s/{await house.link(session.id)}" in left.text
    assert left.headers["clear-site-data"] == '"cache"'
    assert [each.name for each in browser.client.cookies.jar] == ["gatepass-door"]
    assert (await browser.get(room)).status_code == 404
    assert (await house.session(session.id)).status == "in_progress"
    assert [each.end_reason for each in await rows(house, BindingRow)] == ["quit"]
    house.clock.turn(minutes=2)
    assert await browser.verify(session.id) == room


async def test_declining_needs_a_reason(
    house: House, session: PublicSessionRow, browser: PartyBrowser, room: str
) -> None:
    assert "Decline “Vendor intake”?" in words(await browser.get(f"{room}/decline"))
    for reason, said in (("  ", "Say in a few words"), ("y" * 1001, "these are 1001")):
        page = await browser.post(f"{room}/decline", reason=reason)
        assert page.status_code == 422
        assert said in words(page)
        assert reason.strip() in page.text
    assert (await house.session(session.id)).status == "in_progress"
    answer = await browser.post(f"{room}/decline", reason=" No capacity.\r\nSorry. ")
    assert (answer.status_code, answer.headers["location"]) == (303, room)
    page = await browser.get(room)
    assert page.status_code == 410
    assert "You declined" in words(page)
    assert (await house.session(session.id)).decline_reason == "No capacity.\nSorry."


async def test_a_silent_browser_is_told_why_and_loses_no_typing(
    house: House, browser: PartyBrowser, room: str
) -> None:
    """Idle for too long: the true reason, the way back, and what was typed to be copied."""
    house.clock.turn(minutes=31)
    page = await browser.post(f"{room}/tasks/profile", company="A long <text>")
    assert page.status_code == 403
    said = words(page)
    assert "nothing happened for a while" in said
    assert "What you had typed" in said
    assert "Company A long" in said
    assert "A long &lt;text&gt;" in page.text
    assert "Confirm a code and go on here" in said
    assert not await rows(house, SubmissionRow)


async def test_activity_anywhere_keeps_the_place(
    house: House, browser: PartyBrowser, room: str
) -> None:
    """SX-3, C4: idleness belongs to the session; a click on "still here" or any page counts."""
    for _ in range(3):
        house.clock.turn(minutes=20)
        stayed = await browser.post(f"{room}/stay")
        assert (stayed.status_code, stayed.headers["location"]) == (303, room)
    house.clock.turn(minutes=20)
    browser.sent["sec-fetch-dest"] = "empty"
    assert (await browser.post(f"{room}/stay")).status_code == 204
    house.clock.turn(minutes=20)
    assert (await browser.get(room)).status_code == 200
    house.clock.turn(minutes=31)
    assert (await browser.post(f"{room}/stay")).status_code == 403


@pytest.mark.parametrize("verb", ["get", "post", "decline", "stay"])
async def test_a_revoked_session_ends_at_once(
    house: House, session: PublicSessionRow, browser: PartyBrowser, room: str, verb: str
) -> None:
    """PS-30: the next request is refused with the message to the party, never the rationale."""
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "failed the check", "We chose another vendor.")
    if verb == "get":
        page = await browser.get(room)
    elif verb == "post":
        page = await browser.post(f"{room}/tasks/profile", company="Too late")
        assert "Too late" in words(page), "what was typed is not lost without a word"
    else:
        page = await browser.post(f"{room}/{verb}", reason="x")
    assert page.status_code == 410
    assert "Demo Ltd has withdrawn this" in words(page)
    assert "We chose another vendor." in words(page)
    assert "failed the check" not in page.text
    assert not await rows(house, SubmissionRow)


async def test_past_its_bound_the_room_says_so(
    house: House, browser: PartyBrowser, room: str
) -> None:
    """PS-29: arithmetic ends it without any worker; the cookie still tells whose page it was."""
    house.clock.turn(days=14)
    page = await browser.get(room)
    assert page.status_code == 410
    assert "The time for this is over" in words(page)
    assert "Monday, 16 March 2026, 09:00 UTC" in words(page)


async def test_the_party_sees_its_tasks_and_nothing_else(
    session: PublicSessionRow, browser: PartyBrowser, room: str
) -> None:
    """PS-31: no keys, versions, ids or names of the workspace's inside on any page."""
    await browser.post(f"{room}/tasks/profile", company="ACME")
    for path in (room, f"{room}/tasks/profile", f"{room}/tasks/terms", f"{room}/decline"):
        text = (await browser.get(path)).text.replace(str(session.id), "")
        for hidden in (
            session.template_key + '"',
            str(session.workspace_id),
            str(session.party_id),
            session.issued_by,
            "Anna's token",
            "vera@vendor",
            str(FORM["title"]),
        ):
            assert hidden not in text, (path, hidden)
