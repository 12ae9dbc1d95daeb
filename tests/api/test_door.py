"""The door: what a link shows, what a code opens, what strangers learn (PS-26, C3, C12, SX-7)."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from commands.mail import note_bounce, note_sent
from commands.public_session import correct_address, reissue, revoke
from commands.room import decline_room
from store.binding import BindingRow
from store.code import CodeRow
from store.mail import MailRow
from store.public_session import PublicSessionRow
from tests.rooms.house import House, furnished_house
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at, rows, words


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with furnished_house(database_url) as house:
        yield house


@pytest_asyncio.fixture
async def session(house: House) -> PublicSessionRow:
    return (await house.create(email="vera@vendor.example", name="Vera & Sons")).issued[0]


@pytest.fixture
def app(house: House) -> FastAPI:
    return app_of(house)


@pytest_asyncio.fixture
async def browser(app: FastAPI, house: House) -> AsyncIterator[PartyBrowser]:
    async with browser_at(app, house) as browser:
        yield browser


async def everything_but_visits(house: House) -> dict[str, list[str]]:
    """Every row of every table, as text, but the counter of visits."""
    async with house.transactions.work() as work:
        named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        tables = [each for (each,) in await work.db.execute(text(named)) if each != "visit"]
        return {
            table: [str(row) for row in await work.db.execute(text(f'SELECT * FROM "{table}"'))]
            for table in tables
        }


async def test_opening_changes_nothing_but_a_counter(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """SX-7, PS-26: scanners open links twice and with HEAD; nobody is bound, nothing is mailed."""
    path = f"/s/{await house.link(session.id)}"
    before = await everything_but_visits(house)
    for method in ("HEAD", "GET", "GET"):
        answer = await browser.client.request(method, path)
        assert answer.status_code == 200
    await browser.get(f"{path}/code")
    assert await everything_but_visits(house) == before
    async with house.transactions.work() as work:
        counted = (await work.db.execute(text("SELECT visits FROM visit"))).scalar_one()
    assert counted == 2


async def test_the_door_says_what_for_whom_until_when_and_no_more(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    page = await browser.get(f"/s/{await house.link(session.id)}")
    said = words(page)
    for expected in ("Demo Ltd", "Vendor intake", "Vera & Sons", "v•••@vendor.example", "Profile"):
        assert expected in said
    assert "Monday, 16 March 2026, 09:00 UTC" in said
    assert "14 days left" in said
    # PS-31: no whole address, key or lifecycle state.
    workspace = str(session.workspace_id)
    for hidden in ("vera@vendor", ">intake<", ">new<", workspace, session.issued_by):
        assert hidden not in page.text
    assert page.text.count("<button") == 2, "one button to ask for a code, one to start clean"


@pytest.mark.parametrize(
    "mangled",
    [
        "{upper}",
        "{link}.",
        "{link}%20",
        "%20{link}",
        "{link}&amp;utm_source=news",
        "{link}%26amp%3Bgclid=zzz",
        "{half}=%0D%0A{rest}",
        "{half}%C2%AD{rest}",
        "{half}%0A{rest}>",
        "<{link}>,",
        "{link}/",
    ],
)
async def test_a_mangled_link_works(
    house: House, session: PublicSessionRow, browser: PartyBrowser, mangled: str
) -> None:
    """SX-13: capitals, wrapping, escaping and punctuation of mail programs do no harm."""
    link = await house.link(session.id)
    parts = {"link": link, "upper": link.upper(), "half": link[:16], "rest": link[16:]}
    page = await browser.get("/s/" + mangled.format(**parts))
    assert page.status_code == 200
    assert f'action="/s/{link}/code"' in page.text


async def test_strangers_links_look_all_the_same(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """Unknown, superseded and malformed links get one page: nothing tells which it was."""
    old = await house.link(session.id)
    async with house.transactions.work() as work:
        await correct_address(work, house.target(session), "vera.new@vendor.example")
    answers = [
        await browser.get(f"/s/{link}", headers={"x-request-id": "fixed-request"})
        for link in (old, "a" * 32, "b", "%00", f"{'c' * 32}/code", "x" * 3000)
    ]
    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1
    assert len({str(sorted(each.headers.items())) for each in answers}) == 1
    assert "newest mail" in words(answers[0])
    for path in ("code", "verify"):
        refused = await browser.post(f"/s/{old}/{path}", code="12345678")
        assert refused.content == answers[0].content


async def end_by(house: House, session: PublicSessionRow, reason: str) -> None:
    """Ends a session in one of the five ways."""
    if reason == "completed":
        visitor = await house.enter(session.id)
        for task in ("profile", "terms"):
            await house.complete(visitor, task)
    elif reason == "bound_reached":
        house.clock.turn(days=14)
    elif reason == "declined":
        visitor = await house.enter(session.id)
        async with house.transactions.work() as work:
            await decline_room(work, visitor, "No capacity.")
    else:
        async with house.transactions.work() as work:
            if reason == "revoked":
                await revoke(work, house.target(session), "they failed the check", "We stopped.")
            else:
                await reissue(work, house.target(session), "lost in the post")


ENDS = {
    "completed": ("All done", "Demo Ltd has received everything"),
    "declined": ("You declined", "will not do this"),
    "bound_reached": ("The time for this is over", "send you a new link"),
    "revoked": ("has withdrawn this", "We stopped."),
    "reissued": ("replaced by a newer one", "newest mail"),
}


@pytest.mark.parametrize("reason", ENDS)
async def test_each_end_has_its_own_words_and_the_way_back(
    house: House, session: PublicSessionRow, browser: PartyBrowser, reason: str
) -> None:
    """PS-29, PS-30, PS-34: the true reason, when, and whom to write to; never the rationale."""
    await end_by(house, session, reason)
    link = await house.link(session.id)
    page = await browser.get(f"/s/{link}")
    assert page.status_code == 410
    said = words(page)
    for expected in (*ENDS[reason], "help@demo.example", "March 2026"):
        assert expected in said
    for hidden in ("they failed the check", "lost in the post", "No capacity"):
        assert hidden not in said
    others = {title for each, (title, _) in ENDS.items() if each != reason}
    assert not [title for title in others if title in said]
    for path in ("code", "verify"):
        refused = await browser.post(f"/s/{link}/{path}", code="12345678")
        assert refused.status_code == 410
        assert ENDS[reason][0] in words(refused)


async def test_a_double_click_mails_one_code(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """SX-5: one mail, no error, and the page says when the next can be asked for."""
    link = await house.link(session.id)
    first, second = await browser.ask_code(link), await browser.ask_code(link)
    assert first.status_code == second.status_code == 303
    assert second.headers["location"] == f"/s/{link}/code"
    assert len(await house.mails(session.id, "code")) == 1
    page = words(await browser.get(f"/s/{link}/code"))
    assert "on its way to v•••@vendor.example" in page
    assert "You can ask again in 1 minute" in page
    assert "Valid until Monday, 2 March 2026, 09:10 UTC" in page


async def test_the_code_page_tells_honestly_how_far_the_mail_came(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """PS-37: queued, late, sent and bounced read differently."""
    link = await house.link(session.id)

    async def said() -> str:
        return words(await browser.get(f"/s/{link}/code"))

    await browser.ask_code(link)
    assert "on its way" in await said()
    house.clock.turn(seconds=21)
    assert "Our mail is slower than usual" in await said()
    mail = (await house.mails(session.id, "code"))[-1]
    async with house.transactions.work() as work:
        await note_sent(work, mail.id)
    assert "We mailed a code to" in await said()
    async with house.transactions.work() as work:
        await note_bounce(work, mail.id, "550 5.1.1 no such user vera")
    bounced = await said()
    assert "could not be delivered" in bounced
    assert "no such user" not in bounced
    house.clock.turn(minutes=11)
    async with house.transactions.work() as work:
        row = await work.db.get_one(MailRow, mail.id)
        row.state = "sent"
    assert "no longer valid" in await said()


async def test_a_used_code_is_not_called_valid(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """Right after a code was used the page says so, and when the next can be asked for."""
    await browser.verify(session.id)
    link = await house.link(session.id)
    await browser.ask_code(link)
    page = words(await browser.get(f"/s/{link}/code"))
    assert "no longer valid" in page
    assert "Valid until" not in page
    assert "You can ask again in 1 minute" in page


async def test_nobody_asked_for_a_code_yet(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    link = await house.link(session.id)
    answer = await browser.get(f"/s/{link}/code")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/s/{link}")


async def test_an_address_at_its_limit_is_told_when_to_ask_again(
    house: House, browser: PartyBrowser
) -> None:
    """C12: other sessions of the address used its hour up; the page says so instead of nothing."""
    sessions = [
        (await house.create(email="busy@vendor.example", name=f"V{each}")).issued[0]
        for each in range(6)
    ]
    for session in sessions[:5]:
        await browser.ask_code(await house.link(session.id))
    link = await house.link(sessions[5].id)
    answer = await browser.ask_code(link)
    assert answer.headers["location"] == f"/s/{link}/code"
    page = words(await browser.get(f"/s/{link}/code"))
    assert "No code was mailed for this yet" in page
    assert "You can ask again in" in page
    typed = await browser.post(f"/s/{link}/verify", code="1234 5678")
    assert "This code can no longer be used" in words(typed)


async def test_tries_count_for_each_browser(
    app: FastAPI, house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """C12: a robot's wrong codes spend its own tries; the person still comes in."""
    link = await house.link(session.id)
    await browser.ask_code(link)
    right = await browser.mailed_code(session.id)
    wrong = f"{(int(right) + 1) % 10**8:08}"
    for left in (4, 3, 2, 1):
        page = await browser.post(f"/s/{link}/verify", code=wrong)
        assert page.status_code == 403
        assert f"You have {left} more tr" in words(page)
    async with browser_at(app, house) as person:
        answer = await person.post(f"/s/{link}/verify", code=right)
        assert answer.status_code == 303


async def test_five_wrong_codes_spend_the_code_for_this_browser(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """C12: the sixth is not judged even when it is right; the page says to ask for a new one."""
    link = await house.link(session.id)
    await browser.ask_code(link)
    right = await browser.mailed_code(session.id)
    for _ in range(5):
        page = await browser.post(f"/s/{link}/verify", code=f"{(int(right) + 1) % 10**8:08}")
    assert "can no longer be used" in words(page)
    refused = await browser.post(f"/s/{link}/verify", code=right)
    assert refused.status_code == 403
    assert "Ask for a new one" in words(refused)
    assert not await rows(house, BindingRow)


@pytest.mark.parametrize("typed", ["", "1234", "123 456 789", "eight digits"])
async def test_an_incomplete_code_is_no_try(
    house: House, session: PublicSessionRow, browser: PartyBrowser, typed: str
) -> None:
    link = await house.link(session.id)
    await browser.ask_code(link)
    page = await browser.post(f"/s/{link}/verify", code=typed)
    assert page.status_code == 422
    assert "The code has 8 digits" in words(page)
    assert f'value="{typed}"' in page.text, "what was typed is kept"
    assert (await rows(house, CodeRow))[0].tries == 0


async def test_too_many_failures_lock_visibly(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """C12, SX-16: the page says that the sender has to unlock."""
    link = await house.link(session.id)
    await browser.ask_code(link)
    async with house.transactions.work() as work:
        await work.db.execute(text("UPDATE party SET failed_verifications = 99"))
    right = await browser.mailed_code(session.id)
    wrong = f"{(int(right) + 1) % 10**8:08}"
    for page in (
        await browser.post(f"/s/{link}/verify", code=wrong),
        await browser.post(f"/s/{link}/verify", code=right),
        await browser.ask_code(link),
    ):
        assert page.status_code == 423
        assert "unlock" in words(page)
        assert "help@demo.example" in words(page)


async def test_the_right_code_binds_and_a_second_submit_lands_in_the_room(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """PS-27, SX-5: one binding, one cookie for the session, whatever the code is grouped with."""
    link = await house.link(session.id)
    await browser.ask_code(link)
    code = await browser.mailed_code(session.id)
    grouped = f" {code[:4]} {code[4:]} "
    answers = [await browser.post(f"/s/{link}/verify", code=grouped) for _ in range(2)]
    assert [each.headers["location"] for each in answers] == [f"/sessions/{session.id}"] * 2
    assert len(await rows(house, BindingRow)) == 1
    assert (await browser.get(f"/sessions/{session.id}")).status_code == 200


async def test_a_code_works_once(
    app: FastAPI, house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """One-time means one time: another browser with the same code is refused."""
    link = await house.link(session.id)
    await browser.ask_code(link)
    code = await browser.mailed_code(session.id)
    await browser.post(f"/s/{link}/verify", code=code)
    async with browser_at(app, house) as thief:
        refused = await thief.post(f"/s/{link}/verify", code=code)
        assert refused.status_code == 403
        assert (await thief.get(f"/sessions/{session.id}")).status_code == 404


async def test_verifying_elsewhere_takes_over_and_says_why(
    app: FastAPI, house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """C3: the link is a locator; the newest verification acts, the other is told the reason."""
    room = await browser.verify(session.id)
    link = await house.link(session.id)
    house.clock.turn(minutes=2)
    async with browser_at(app, house) as second:
        door = words(await second.get(f"/s/{link}"))
        assert "open in another browser at the moment" in door
        assert "Continue" not in door
        await second.verify(session.id)
        assert (await second.get(room)).status_code == 200
        page = await browser.get(room)
        assert page.status_code == 403
        assert "Opened in another browser" in words(page)
        assert f"/s/{link}" in page.text
        assert "Continue" in words(await second.get(f"/s/{link}"))
        assert "Continue" not in words(await browser.get(f"/s/{link}"))


async def test_an_idle_browser_is_not_called_open(
    app: FastAPI, house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    await browser.verify(session.id)
    house.clock.turn(minutes=31)
    page = words(await browser.get(f"/s/{await house.link(session.id)}"))
    assert "open in another browser" not in page
    assert "Continue" not in page


async def test_without_an_address_the_door_says_so(house: House, browser: PartyBrowser) -> None:
    """PS-37: no button that could not work, and whom to write to."""
    session = (await house.create(email="")).issued[0]
    link = await house.link(session.id)
    page = await browser.get(f"/s/{link}")
    assert "no mail address of yours" in words(page)
    assert "Email me a code" not in page.text
    refused = await browser.ask_code(link)
    assert refused.status_code == 409
    assert "help@demo.example" in words(refused)


async def test_start_clean_takes_only_our_cookies(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """SX-10: nobody has to clear a whole browser; other cookies stay."""
    await browser.verify(session.id)
    browser.client.cookies.set("somebody", "else", domain="localhost")
    link = await house.link(session.id)
    page = await browser.post("/clean", link=link.upper())
    assert f'href="/s/{link}"' in page.text
    assert [each.name for each in browser.client.cookies.jar] == ["somebody"]
    page = await browser.post("/clean", link='"><b>')
    assert "<b>" not in page.text


async def test_the_bound_is_the_cookie_s_measure(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """The cookie outlives the session a little, so that its browser is told how it ended."""
    await browser.verify(session.id)
    cookies = {each.name: each for each in browser.client.cookies.jar}
    cookie = cookies[f"gatepass-{session.id.hex}"]
    assert cookie.expires is not None
    lasts = timedelta(seconds=cookie.expires) - timedelta(seconds=time.time())
    assert timedelta(days=43) < lasts <= timedelta(days=44)
    assert cookies["gatepass-door"].expires is None
