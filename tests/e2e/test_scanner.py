"""SX-7, SX-13, N1: whoever only holds the link can look, press and post; only a person comes in.

What mail security was seen doing: HEAD first; two GETs 134 ms apart; a browser without cookies that
runs scripts, presses every button and submits every form; links rewrapped on their way.
"""

import html
import re
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
from playwright.async_api import Page

from tests.e2e.answers import VENDOR_INTAKE
from tests.e2e.caller import Caller
from tests.e2e.house import Office
from tests.e2e.person import Browsers

pytestmark = pytest.mark.timeout(120)

WRONG = "00000000"
MOST_PAGES = 25
FORMS = "() => [...document.forms].map((form) => `${form.method} ${form.action}`)"
LINKS = "() => [...document.links].map((link) => link.href)"
SUBMIT = """(wanted) => {
  const form = document.forms[wanted.index];
  for (const each of form.elements) {
    if (each.type === "checkbox" || each.type === "radio") each.checked = true;
    else if (each.type !== "hidden" && "value" in each && !each.value) each.value = wanted.typed;
  }
  HTMLFormElement.prototype.submit.call(form);
}"""
PRESS = """() => {
  for (const each of document.querySelectorAll("button, summary, [role=button]")) each.click();
}"""


async def crawl(browsers: Browsers, link: str) -> list[str]:
    """A robot in a browser of its own: every page, every link, every form; where it got to."""
    page = await (await browsers.context()).new_page()
    here = link.split("/s/", maxsplit=1)[0]
    ahead, seen = [link], list[str]()
    while ahead and len(seen) < MOST_PAGES:
        url, _, _ = ahead.pop(0).partition("#")
        if url in seen or not url.startswith(here):
            continue
        seen.append(url)
        await page.goto(url)
        ahead += await page.evaluate(LINKS)
        for index, _ in enumerate(await page.evaluate(FORMS)):
            ahead.append(await submit(page, url, index))
        await press_everything(page, url)
    await page.context.close()
    return seen


async def submit(page: Page, url: str, index: int) -> str:
    """Submits one form with everything filled in and ticked; where that led."""
    await page.goto(url)
    if index >= len(await page.evaluate(FORMS)):
        return url
    async with page.expect_navigation():
        await page.evaluate(SUBMIT, {"index": index, "typed": WRONG})
    return page.url


async def press_everything(page: Page, url: str) -> None:
    """Presses every button of a page in one go, as it is, in a tab of its own."""
    tab = await page.context.new_page()
    await tab.goto(url)
    await tab.evaluate(PRESS)
    await tab.wait_for_load_state()


async def bindings(office: Office, session: UUID) -> int:
    """How many browsers were ever bound."""
    [row] = await office.sql("SELECT count(*) FROM binding WHERE session_id = :id", id=session)
    return int(row[0])


async def assert_nobody_came_in(office: Office, session: UUID) -> None:
    shown = await office.session(session)
    assert (shown["status"], shown["progress"]["done"]) == ("issued", 0)
    assert await bindings(office, session) == 0


async def assert_only_the_person_came_in(office: Office, session: UUID, since: datetime) -> None:
    shown = await office.session(session)
    assert shown["status"] == "completed"
    assert await bindings(office, session) == 1
    events = await office.events(session)
    assert events.count("public_session.activated") == 1
    assert not {"public_session.taken_over", "public_session.declined"} & set(events)
    mails = (await office.get(f"public-sessions/{session}/mails"))["items"]
    codes = [each for each in mails if each["kind"] == "code"]
    passed = datetime.now(since.tzinfo) - since
    assert 1 <= len(codes) <= 1 + passed / timedelta(minutes=1)


def now_of(shown: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(shown["issued_at"])


async def test_a_robot_in_a_browser_before_during_and_after_the_person(
    office: Office, browsers: Browsers
) -> None:
    """It presses and submits everything it finds, wrong codes too; the person does not notice."""
    session = await office.vendor("vera")
    link = await office.mailed_link("vera")
    issued_at = now_of(await office.session(session))

    seen = await crawl(browsers, link)
    assert f"{link}/code" in seen
    await assert_nobody_came_in(office, session)

    person = await browsers.person()
    await person.open(link)
    await person.ask_for_code()
    async with anyio.create_task_group() as both:
        both.start_soon(crawl, browsers, link)
        await person.confirm(await office.mailed_code("vera"))
        await person.sees("Vendor intake")
        await person.begin(VENDOR_INTAKE[0][0])
        await person.send(VENDOR_INTAKE[0][1])
        await person.sees(VENDOR_INTAKE[1][0])
    for title, answers in VENDOR_INTAKE[1:]:
        await person.sees(title)
        await person.send(answers)
    await person.sees("All done, thank you")

    await crawl(browsers, link)
    await assert_only_the_person_came_in(office, session, issued_at)
    assert "public_session.code_refused" in await office.events(session)


async def head(robot: Caller, link: str) -> None:
    for _ in range(2):
        answer = await robot.client.head(link)
        assert answer.status_code == 200
        assert answer.content == b""


async def paired(robot: Caller, link: str) -> None:
    """Two GETs 134 ms apart, the second before the first is read."""
    async with anyio.create_task_group() as both:
        both.start_soon(robot.get, link)
        await anyio.sleep(0.134)
        assert (await robot.get(link)).status_code == 200


async def following(robot: Caller, link: str) -> None:
    """Parameters of trackers and link checkers."""
    for query in ("?follow=true", "?utm_source=mail&data=05%7C02", "/?x=1", "#top"):
        assert (await robot.get(link + query)).status_code == 200


async def posting(robot: Caller, link: str) -> None:
    """Every form's post without ever having read a page, again and again."""
    for _ in range(3):
        assert (await robot.ask(link)).status_code == 303
        assert (await robot.verify(link, WRONG)).status_code == 403
        assert (await robot.post("/clean", {"link": link})).status_code == 200


async def from_elsewhere(robot: Caller, link: str) -> None:
    """Another site's page cannot make a browser ask or verify (ASVS 3.5.1)."""
    robot.client.headers["sec-fetch-site"] = "cross-site"
    assert (await robot.ask(link)).status_code == 403
    assert (await robot.verify(link, WRONG)).status_code == 403


async def with_other_methods(robot: Caller, link: str) -> None:
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH"):
        assert (await robot.client.request(method, link)).status_code == 405


Robot = Callable[[Caller, str], Coroutine[Any, Any, None]]


@pytest.mark.parametrize(
    "robot", [head, paired, following, posting, from_elsewhere, with_other_methods]
)
async def test_a_robot_over_http(office: Office, robot: Robot) -> None:
    """The same before the person comes, while the person works, and afterwards."""
    session = await office.vendor("vera")
    link, issued_at = await office.mailed_link("vera"), now_of(await office.session(session))
    async with Caller(office.house.url) as scanner, Caller(office.house.url) as person:
        await robot(scanner, link)
        await assert_nobody_came_in(office, session)
        assert (await person.ask(link)).status_code == 303
        async with anyio.create_task_group() as both:
            both.start_soon(robot, scanner, link)
            await person.come_in(link, await office.mailed_code("vera"))
        await person.do_everything(session)
        scanner.client.headers["sec-fetch-site"] = "same-origin"
        assert (await scanner.get(link)).status_code == 410
    await assert_only_the_person_came_in(office, session, issued_at)


async def test_a_look_changes_nothing_but_a_counter(office: Office) -> None:
    """ASVS 3.5.3: a visit is counted as a visit, and nothing takes it for the person's."""
    session = await office.vendor("vera")
    link = await office.mailed_link("vera")
    before = await office.session(session)
    async with Caller(office.house.url) as robot:
        for _ in range(3):
            await robot.get(link)
        await robot.client.head(link)
    after = await office.session(session)
    assert after.pop("visits") == before.pop("visits") + 3
    assert after == before
    assert await office.events(session) == ["public_session.issued"]


def wrapped(link: str) -> str:
    """A soft line break of quoted-printable in the middle of the token."""
    return f"{link[:-12]}=%0D%0A{link[-12:]}"


def shouted(link: str) -> str:
    """Everything behind the host in capitals, as an old gateway did."""
    start, token = link.split("/s/")
    return f"{start}/s/{token.upper()}"


def escaped(link: str) -> str:
    """As HTML, with a parameter behind it."""
    return html.escape(f"{link}?a=1&b=2")


def in_a_sentence(link: str) -> str:
    """Copied with what stood around it."""
    return f"{link}%3E)."


@pytest.mark.parametrize("spoilt", [wrapped, shouted, escaped, in_a_sentence])
async def test_a_link_that_was_spoilt_on_its_way_still_leads_in(
    office: Office, spoilt: Callable[[str], str]
) -> None:
    """SX-13: it is read, however it was wrapped, and the pages behind it work."""
    session = await office.vendor("vera")
    link = await office.link(session)
    assert len(re.sub("^https?://[^/]+", "", link)) <= 60
    async with Caller(office.house.url) as person:
        door = await person.get(spoilt(link))
        assert door.status_code == 200
        [action] = re.findall(r'action="(/s/[^"]+/code)"', door.text)
        assert (await person.post(action)).status_code == 303
        await person.come_in(action.removesuffix("/code"), await office.fresh_code(session))
        await person.do_everything(session)


async def test_a_link_that_was_spoilt_in_a_browser(office: Office, browsers: Browsers) -> None:
    """SX-13: the address bar may hold what it likes."""
    session = await office.vendor("vera")
    person = await browsers.person()
    link = shouted(wrapped(await office.link(session)))
    await person.come_in(f"{link}?follow=true", await office.fresh_code(session))
    await person.begin("Your vendor profile")
