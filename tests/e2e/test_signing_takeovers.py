"""Two browsers of one signer take the window from each other, again and again, while both write.

RELIABILITY 15 with everything real. The pages are the product's, and what is sent is sent by them:
the cookies, the headers and the origin are the browser's own. What the commands promise of it is in
`tests/store/test_signing_races.py`.
"""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Page

from store.signing_session import SigningSessionRow, signing_sessions_of
from tests.e2e.house import Office
from tests.e2e.person import Browsers
from tests.e2e.signing import Deal, deal_in

pytestmark = [pytest.mark.timeout(240), pytest.mark.load]

TURNS = 200
LOOKED_AT_EVERY = 50
TOLD_WITHIN = 2.0
"""Seconds until an open page says that it lost its place (RELIABILITY 15)."""
REFUSED = {403, 409}
LOST = "Warning: Session Timeout"

WRITES = """async ({task, place, text, persists}) => {
  globalThis.answered ??= {};
  const fared = [];
  const write = async (name, late) => {
    const body = new URLSearchParams({...place, "field:name": `${text} ${name}`});
    const answer = await fetch(`${task}/values`, {method: "POST", body});
    const said = answer.ok ? {} : await answer.json();
    fared.push({status: answer.status, why: said.type?.split("/").at(-1) ?? "", late});
    return answer.ok;
  };
  for (let number = 0; !globalThis.answered[text]; number += 1) {
    if (await write(`${number}`, false)) continue;
    if (!persists) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  while (!globalThis.answered[text]) await new Promise((next) => setTimeout(next, 5));
  await write("late", true);
  return fared;
}"""
"""A window saves as fast as it can until it is refused, or persists until it is told that the
takeover was answered; and saves once more then."""
ANSWERED = "(text) => { (globalThis.answered ??= {})[text] = true; }"

TAKE_OVER = """async ({door, code, task, window}) => {
  const post = (where, fields) =>
    fetch(where, {method: "POST", body: new URLSearchParams(fields), redirect: "manual"});
  const entered = await post(`${door}/verify`, {code});
  const opened = await post(`${task}/open`, {window, take_over: "yes"});
  return [entered.type, opened.type];
}"""
"""What the code page and "Open Here" post; both lead on to a page, which is not looked at here."""

Fared = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Window:
    """A window that was given its place, in one of the two browsers; `found` was saved then."""

    page: Page
    place: dict[str, str]
    found: str


@dataclass(slots=True)
class Contest:
    """One signer, two browsers, and what became of everything that was written."""

    deal: Deal
    office: Office
    session: UUID
    door: str
    pages: tuple[Page, Page]
    refused: Counter[str] = field(default_factory=Counter)
    accepted: int = 0

    @property
    def task(self) -> str:
        return f"/sessions/{self.session}/tasks/sign"

    async def take_over(self, number: int) -> Window:
        """The browser whose turn it is types a code and presses "Open Here"."""
        page = self.pages[number % 2]
        code = await self.office.fresh_code(self.session)
        wanted = {"door": self.door, "code": code, "task": self.task, "window": f"w{number}"}
        answer = await page.evaluate(TAKE_OVER, wanted)
        assert answer == ["opaqueredirect"] * 2
        row, version = await self.row(), self.deal.whole.value.current
        assert (row.holder, row.fence) == (f"w{number}", number + 1)
        place = {"window": row.holder, "fence": str(row.fence)}
        pinned = {"version": str(version.version), "sha256": version.sha256}
        return Window(page, place | pinned, row.values.get("name", ""))

    async def write(self, window: Window, text: str, *, persists: bool = False) -> Fared:
        """What became of each write of a window."""
        wanted = {"task": self.task, "place": window.place, "text": text, "persists": persists}
        fared: Fared = await window.page.evaluate(WRITES, wanted)
        self.accepted += sum(each["status"] == 200 for each in fared)
        self.refused.update(each["why"] for each in fared if each["status"] != 200)
        return fared

    async def write_once(self, window: Window, text: str) -> bool:
        """Whether one write of a window is taken."""
        await window.page.evaluate(ANSWERED, text)
        (only,) = await self.write(window, text)
        return bool(only["status"] == 200)

    async def saved(self) -> str:
        """What the signing session holds."""
        return str((await self.row()).values.get("name", ""))

    async def row(self) -> SigningSessionRow:
        """The only signing session there is."""
        async with self.deal.desk.house.transactions.work() as work:
            (row,) = await signing_sessions_of(work.db, self.session)
        return row


@pytest_asyncio.fixture
async def contest(office: Office, browsers: Browsers) -> Contest:
    """Two browsers at the door of one signer."""
    deal = await deal_in(office)
    session = await deal.desk.session_of(deal.whole)
    link = await office.link(session)
    first, second = [await (await browsers.context()).new_page() for _ in range(2)]
    for page in (first, second):
        await page.goto(link)
    return Contest(deal, office, session, urlsplit(link).path, (first, second))


async def test_two_hundred_takeovers_between_two_browsers_take_no_write_of_an_old_fence(
    contest: Contest,
) -> None:
    """EX-1, EX-10, EX-20, EX-21, SX-1: what is refused is refused however late it comes."""
    before = older = await contest.take_over(0)
    assert await contest.write_once(before, "first")
    for number in range(1, TURNS + 1):
        is_looked_at = number % LOOKED_AT_EVERY == 0
        if is_looked_at:
            await opens_for_real(contest, before)
        displaced, forgotten = f"displaced {number}", f"forgotten {number}"
        # Both browsers write: the one that is displaced, and the other by a tab of its last turn,
        # which comes to the same cookie as its new window and has nothing against it but the fence.
        async with asyncio.TaskGroup() as group:
            writing = [
                group.create_task(contest.write(before, displaced)),
                group.create_task(contest.write(older, forgotten, persists=True)),
            ]
            now = await contest.take_over(number)
            answered_at = time.monotonic()
            await before.page.evaluate(ANSWERED, displaced)
            await older.page.evaluate(ANSWERED, forgotten)
        late = [each for fared in writing for each in fared.result() if each["late"]]
        assert {each["status"] for each in late} <= REFUSED, late
        # What the new owner found holds, until it writes itself.
        assert await contest.saved() == now.found
        assert await contest.write_once(now, f"owner {number}")
        assert (await contest.saved()).startswith(f"owner {number} ")
        if is_looked_at:
            await before.page.get_by_role("dialog", name=LOST).wait_for()
            assert time.monotonic() - answered_at < TOLD_WITHIN
        older, before = before, now
    await has_one_owner(contest, older, before)


async def opens_for_real(contest: Contest, window: Window) -> None:
    """The page of the window, in which somebody types: it saves by itself."""
    url = contest.office.house.url
    await window.page.goto(f"{url}{contest.task}?window={window.place['window']}")
    async with window.page.expect_response(re.compile("/values$")):
        await window.page.get_by_label("Full name").press_sequentially(" by hand")


async def has_one_owner(contest: Contest, displaced: Window, owner: Window) -> None:
    """Of the two browsers one may write, and it is where the rows say."""
    assert not await contest.write_once(displaced, "too late")
    assert await contest.write_once(owner, "last")
    row = await contest.row()
    assert (row.holder, row.fence) == (f"w{TURNS}", TURNS + 1)
    assert row.values["name"] == "last late"
    living = "SELECT count(*) FROM binding WHERE session_id = :id AND ended_at IS NULL"
    assert await contest.office.sql(living, id=contest.session) == [(1,)]
    # It was a contest: writes were taken before takeovers, and refused for both reasons. In the
    # first turn there is no forgotten tab in the other browser yet.
    assert contest.accepted > 1.5 * TURNS
    assert min(contest.refused["window-lost"], contest.refused["binding-lost"]) >= TURNS - 1
    assert set(contest.refused) == {"window-lost", "binding-lost"}
