"""Which tabs, workspaces and domains share one session id (EE-4 to EE-6, EE-10)."""

from collections.abc import AsyncIterator

import pytest_asyncio

from commands.workspace import CreateWorkspace, create_workspace, find_workspace
from store.member_session import MemberSessionRow
from tests.api.members import Console, open_console
from tests.rooms.house import House
from tests.rooms.member_browser import MemberBrowser, make_member, set_here

ELSEWHERE = "http://127.0.0.1:8000"
"""The same programs under another domain."""


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await set_here(console.house, session_allow_concurrent=True)
        yield console


async def second_workspace(console: Console) -> House:
    """Another workspace on the same domain, where Anna is a member too."""
    async with console.house.transactions.work() as work:
        await create_workspace(work, CreateWorkspace("second", "Second Ltd"))
    async with console.house.transactions.work() as work:
        other = await find_workspace(work, "second")
    house = House(console.house.engine, console.house.transactions, console.house.clock, other.id)
    await make_member(house)
    return house


def secrets_of(browser: MemberBrowser) -> list[tuple[str, str | None]]:
    """Every member's cookie of a browser, each with its domain."""
    jar = browser.party.client.cookies.jar
    return [(each.domain, each.value) for each in jar if each.name.endswith("gatepass-member")]


async def test_all_tabs_of_a_browser_share_one_session(console: Console) -> None:
    """EE-4: whatever a tab opens, it is the session that the first one began."""
    async with console.signed_in() as browser:
        ((_, first),) = secrets_of(browser)
        tab = MemberBrowser(browser.party, browser.base)
        for path in ("", "/account", "/account/sessions", "/members"):
            assert (await tab.get(path)).status_code == 200
        assert [value for _, value in secrets_of(browser)] == [first]
        assert len(await console.house.all(MemberSessionRow)) == 1
        await tab.post("/sign-out")
        assert (await browser.get()).status_code == 303


async def test_another_browser_has_another_session(console: Console) -> None:
    """EE-4, EE-10: so has a private window, which is one without cookies."""
    async with console.signed_in() as browser, console.signed_in() as private:
        assert secrets_of(browser) != secrets_of(private)
        await private.post("/sign-out")
        assert (await browser.get()).status_code == 200


async def test_workspaces_of_a_domain_share_the_id_and_end_apart(console: Console) -> None:
    """EE-4, EE-5: one id for both; each has its own expiration."""
    second = await second_workspace(console)
    await set_here(second, session_absolute_timeout=3600)
    async with console.signed_in() as browser:
        there = MemberBrowser(browser.party, "/console/second")
        await there.sign_in()
        assert len(secrets_of(browser)) == 1
        digests = {each.digest for each in await console.house.all(MemberSessionRow)}
        assert len(digests) == 1
        for _ in range(15):
            console.house.clock.turn(minutes=4)
            answers = [await browser.get(), await there.get()]
        assert [each.status_code for each in answers] == [200, 303]


async def test_domains_have_ids_of_their_own(console: Console) -> None:
    """EE-6: the cookie of one is never sent to another, where nobody is signed in by it."""
    async with console.signed_in() as browser:
        ((_, here),) = secrets_of(browser)
        elsewhere = MemberBrowser(browser.party, ELSEWHERE + browser.base)
        assert (await elsewhere.get()).status_code == 303
        assert (await elsewhere.sign_in()).status_code == 303
        assert (await elsewhere.get()).status_code == 200
        secrets = secrets_of(browser)
        assert len({domain for domain, _ in secrets}) == len({value for _, value in secrets}) == 2
        assert here in {value for _, value in secrets}
        await elsewhere.post("/sign-out")
        assert (await elsewhere.get()).status_code == 303
        assert (await browser.get()).status_code == 200
