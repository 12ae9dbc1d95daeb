"""One browser may act; whoever else comes, comes in peace: takeovers, tabs, clicks, Quit."""

import re
import time
from uuid import UUID

import anyio
import pytest
from playwright.async_api import Page

from tests.e2e.answers import VENDOR_INTAKE
from tests.e2e.caller import PROFILE as FORM
from tests.e2e.caller import Caller
from tests.e2e.house import Office
from tests.e2e.person import Browsers, Keyboard, Person

pytestmark = pytest.mark.timeout(120)

TITLE = "Vendor intake"
PROFILE, CATEGORIES = VENDOR_INTAKE[0], VENDOR_INTAKE[1]
TAKEN = "Opened in another browser"


async def comes_in(person: Person, office: Office, session: UUID) -> Person:
    """To the list of tasks."""
    await person.come_in(await office.link(session), await office.fresh_code(session))
    return person


async def listening(page: Page) -> None:
    """Waits until the page hears of ends: its stream is open."""
    async with page.expect_response(re.compile("/events$")):
        await page.reload()


async def test_the_second_browser_takes_over_and_the_first_is_told_why(
    office: Office, browsers: Browsers
) -> None:
    """C3, PS-27, RELIABILITY 15: the open page says so by itself, its next post is refused."""
    session = await office.vendor("vera")
    first = await comes_in(await browsers.person(), office, session)
    await first.begin(PROFILE[0])
    await listening(first.page)
    await first.hands.answer(first.page, PROFILE[1])

    second = await comes_in(await browsers.person(), office, session)
    taken_at = time.monotonic()
    await first.notice.get_by_role("heading", name=TAKEN).wait_for()
    assert time.monotonic() - taken_at < 2
    # What was typed is still on the page and can be copied; sending it is refused.
    await first.press("Let me copy it first")
    assert await first.page.get_by_label("Phone").input_value() == PROFILE[1]["Phone"]
    refused = await first.page.context.request.post(
        first.page.url, form=dict(FORM), headers={"sec-fetch-site": "same-origin"}
    )
    assert refused.status == 403
    assert TAKEN in await refused.text()
    assert (await office.session(session))["progress"]["done"] == 0
    await first.open(f"{office.house.url}/sessions/{session}")
    await first.sees(TAKEN)

    await second.begin(PROFILE[0])
    await second.send(PROFILE[1])
    await second.sees(CATEGORIES[0])
    # And back: the way is on the page.
    await first.press("Confirm a code and go on here", "link")
    await first.ask_for_code()
    await first.confirm(await office.fresh_code(session))
    await first.sees(TITLE)
    await first.begin(CATEGORIES[0])
    events = await office.events(session)
    assert events.count("public_session.activated") == 1
    assert events.count("public_session.taken_over") == 2


async def test_without_javascript_the_next_request_tells(
    office: Office, browsers: Browsers
) -> None:
    """C3: nothing depends on a script."""
    session = await office.vendor("vera")
    first = await browsers.person(java_script_enabled=False)
    await comes_in(first, office, session)
    await first.begin(PROFILE[0])
    async with Caller(office.house.url) as second:
        await second.come_in(await office.link(session), await office.fresh_code(session))
    await first.send(PROFILE[1])
    await first.sees(TAKEN)
    await first.reads("Casa do Linho Lda")


async def test_double_clicks_everywhere(office: Office, browsers: Browsers) -> None:
    """SX-5: the link in two tabs, the code asked for and typed twice, a task sent twice."""
    session = await office.vendor("vera")
    link = await office.mailed_link("vera")
    context = await browsers.context(java_script_enabled=False)
    one, two = Person(await context.new_page()), Person(await context.new_page())
    await one.open(link)
    await two.open(link)
    for each in (one, two):
        await each.page.get_by_role("button", name="Email me a code").dblclick()
        await each.sees("Enter your code")
    code = await office.mailed_code("vera")
    for each in (one, two):
        await each.page.get_by_role("textbox").fill(code)
        await each.page.get_by_role("button", name="Confirm").dblclick()
        await each.sees(TITLE)
    await one.begin(PROFILE[0])
    await one.hands.answer(one.page, PROFILE[1])
    await one.page.get_by_role("button", name="Send and go on").dblclick()
    await one.page.wait_for_url(re.compile("/tasks/categories$|/sessions/[^/]+$"))
    shown = await office.session(session)
    assert shown["progress"]["done"] == 1
    events = await office.events(session)
    assert events.count("public_session.code_requested") == 1
    assert events.count("public_session.activated") == 1
    assert events.count("task.completed") == 1
    assert "public_session.taken_over" not in events


async def test_the_back_button_and_a_second_tab(office: Office, browsers: Browsers) -> None:
    """SX-2, SX-3: going back and sending again changes nothing and ends where one was."""
    session = await office.vendor("vera")
    person = await comes_in(await browsers.person(), office, session)
    await person.begin(PROFILE[0])
    other = Person(await person.page.context.new_page())
    await other.open(f"{office.house.url}/sessions/{session}/tasks/profile")
    await other.hands.answer(other.page, PROFILE[1] | {"Phone": "+351 22 999 9999"})
    await person.send(PROFILE[1])
    await person.sees(CATEGORIES[0])
    await other.press(re.compile("^Send and "))
    await other.sees(TITLE)

    await person.page.go_back()
    if await person.page.get_by_role("button", name=re.compile("^Send and ")).count():
        await person.send(PROFILE[1])
    await person.open(await office.link(session))
    await person.press("Continue", "link")
    await person.begin(CATEGORIES[0])
    items = (await office.get(f"public-sessions/{session}/submissions"))["items"]
    assert [each["body"]["contact_phone"] for each in items] == ["+351221234567"]


async def test_quit_in_one_tab_ends_it_in_the_other(office: Office, browsers: Browsers) -> None:
    """SX-9: Quit is on every page; the other tab says so; the cookie is gone, the work is not."""
    session = await office.vendor("vera")
    person = await comes_in(await browsers.person(), office, session)
    await person.begin(PROFILE[0])
    await person.send(PROFILE[1])
    await person.sees(CATEGORIES[0])
    await listening(person.page)
    other = Person(await person.page.context.new_page())
    await other.open(f"{office.house.url}/sessions/{session}")
    await other.sees(TITLE)
    await other.press("Quit")
    quit_at = time.monotonic()
    await other.sees("You have left")
    await person.notice.get_by_role("heading", name="You have left").wait_for()
    assert time.monotonic() - quit_at < 2
    names = [each["name"] for each in await person.page.context.cookies()]
    assert not [each for each in names if session.hex in each]
    await other.press("Open it again now", "link")
    await other.ask_for_code()
    await other.confirm(await office.fresh_code(session))
    await other.begin(CATEGORIES[0])
    events = await office.events(session)
    assert events.count("public_session.left") == 1
    assert events.count("public_session.resumed") == 1


async def test_an_end_in_one_tab_is_told_in_the_other(office: Office, browsers: Browsers) -> None:
    """EX-22, SX-3: one connection a browser is enough for all its tabs."""
    session = await office.vendor("vera")
    person = await comes_in(await browsers.person(), office, session)
    await listening(person.page)
    tabs = [Person(await person.page.context.new_page()) for _ in range(2)]
    for each in tabs:
        await each.open(f"{office.house.url}/sessions/{session}")
        await each.sees(TITLE)
    await tabs[1].press("I do not want to do this", "link")
    await tabs[1].page.get_by_label("Why?").fill("We closed last month.")
    await tabs[1].press("Decline for good")
    await tabs[1].sees("You declined")
    for each in (person, tabs[0]):
        await each.page.bring_to_front()
        await each.page.get_by_role("heading", name="You declined").first.wait_for()
    assert (await office.session(session))["decline_reason"] == "We closed last month."
    await office.mail("owner", "Declined: Vendor intake")


async def test_two_parties_in_one_browser_at_once(office: Office, browsers: Browsers) -> None:
    """SX-8, C15, N6: each page says for whom it is; neither writes into the other's."""
    vera, bruno = await office.vendor("vera"), await office.vendor("bruno")
    context = await browsers.context()
    hers, his = Person(await context.new_page()), Person(await context.new_page())
    await comes_in(hers, office, vera)
    await comes_in(his, office, bruno)
    await hers.reads("Vera Ltd")
    await his.reads("Bruno Ltd")
    for each, name in ((hers, "Linho Vera Lda"), (his, "Linho Bruno Lda")):
        await each.page.bring_to_front()
        await each.begin(PROFILE[0])
        await each.hands.answer(each.page, PROFILE[1] | {"Registered company name": name})
    for each in (hers, his):
        await each.page.bring_to_front()
        await each.press(re.compile("^Send and "))
        await each.sees(CATEGORIES[0])
    for session, name in ((vera, "Linho Vera Lda"), (bruno, "Linho Bruno Lda")):
        [item] = (await office.get(f"public-sessions/{session}/submissions"))["items"]
        assert item["body"]["legal_name"] == name
    await his.press("Quit")
    await his.sees("You have left")
    await hers.page.bring_to_front()
    await hers.send(CATEGORIES[1])
    await hers.sees(VENDOR_INTAKE[2][0])


async def test_a_keyboard_reaches_quit(office: Office, browsers: Browsers) -> None:
    """SX-9, WCAG 2.1.1."""
    session = await office.vendor("vera")
    person = await comes_in(await browsers.person(Keyboard()), office, session)
    await person.press("Quit")
    await person.sees("You have left")


async def test_a_stranger_with_the_address_of_a_room_learns_nothing(
    office: Office, browsers: Browsers
) -> None:
    """PS-27, PS-31: without the cookie there is no such room, be it real or invented."""
    session = await office.vendor("vera")
    await comes_in(await browsers.person(), office, session)
    async with Caller(office.house.url) as stranger:
        real = await stranger.get(f"/sessions/{session}")
        invented = await stranger.get(f"/sessions/{UUID(int=session.int ^ 1)}")
        assert real.status_code == invented.status_code == 404
        assert real.text == invented.text
        events = await stranger.get(f"/sessions/{session}/events")
        assert events.status_code == 404
        stolen = await stranger.post(f"/sessions/{session}/tasks/profile", {"legal_name": "X"})
        assert stolen.status_code == 404


async def test_a_cookie_set_before_is_never_taken_over(office: Office) -> None:
    """RELIABILITY 30: fixation: the place gets a new secret, and a takeover ends the old one."""
    session = await office.vendor("vera")
    link = await office.link(session)
    name = f"gatepass-{session.hex}"
    async with Caller(office.house.url) as victim, Caller(office.house.url) as thief:
        victim.client.cookies.set(name, "chosen-by-the-thief")
        thief.client.cookies.set(name, "chosen-by-the-thief")
        await victim.come_in(link, await office.fresh_code(session))
        kept = {each.value for each in victim.client.cookies.jar if each.name == name}
        assert kept != {"chosen-by-the-thief"}
        assert (await thief.get(f"/sessions/{session}")).status_code == 404


async def test_sixteen_browsers_type_one_code(office: Office) -> None:
    """RELIABILITY 4, PS-26: exactly one is bound, the others are told the code is spent."""
    session = await office.vendor("vera")
    link, code = await office.link(session), await office.fresh_code(session)
    came_in: list[bool] = []

    async def try_it() -> None:
        async with Caller(office.house.url) as browser:
            answer = await browser.verify(link, code)
            assert answer.status_code in {303, 403}
            came_in.append("/sessions/" in answer.headers.get("location", ""))

    async with anyio.create_task_group() as all_at_once:
        for _ in range(16):
            all_at_once.start_soon(try_it)
    assert sorted(came_in) == [*[False] * 15, True]
    [bound] = await office.sql("SELECT count(*) FROM binding WHERE session_id = :id", id=session)
    assert bound[0] == 1
