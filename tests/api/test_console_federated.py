"""Signing in through the company's identity provider, on real HTTP (EE-3, EE-17, EE-20, EE-21)."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from httpx2 import Response

from commands.federation import SetFederation, set_federation
from commands.member import disable_member
from commands.workspace import put_on_channel
from domain.actor import OPERATOR
from domain.federation import Channel, FederationFields, MatchBy
from store.access import LoginRow, PageVisitRow
from store.erasure import empty_member
from store.federation import FederatedSubjectRow, FederationRow
from store.member import member_by_id
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.member_browser import EMAIL, MemberBrowser, console_of, make_member, set_here
from tests.rooms.openid import CLIENT, DISCOVERY, SECRET, OpenidProvider, openid_provider
from tests.rooms.party_browser import app_of, rows, words

WAY = "/sign-in/federated"


@pytest.fixture(scope="module")
def listening() -> Iterator[OpenidProvider]:
    with openid_provider() as provider:
        yield provider


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url, login_federated_channel="general") as console:
        yield console


@pytest_asyncio.fixture
async def provider(listening: OpenidProvider, console: Console) -> OpenidProvider:
    """The provider, which says of whoever comes that it is Anna; the workspace trusts it."""
    OpenidProvider.__init__(listening, listening.issuer)
    listening.at = console.house.clock.now.timestamp()
    listening.claims = {"email": EMAIL}
    await trust(console, listening)
    return listening


async def trust(console: Console, provider: OpenidProvider, **more: Any) -> None:
    known = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET}
    fields = FederationFields(**known | {"domains": (), "match": MatchBy.EMAIL} | more)
    async with console.house.transactions.work() as work:
        wanted = SetFederation(console.house.workspace_id, fields, OPERATOR)
        await set_federation(work, wanted)


@pytest_asyncio.fixture
async def browser(console: Console) -> AsyncIterator[MemberBrowser]:
    async with console.browser() as browser:
        yield browser


async def go(browser: MemberBrowser, following: str = "") -> str:
    """Presses the button; where the browser is led to."""
    answer = await browser.get(WAY, params={"next": following})
    assert answer.status_code == 303, words(answer)
    return str(answer.headers["location"])


async def come_back(
    browser: MemberBrowser, provider: OpenidProvider, following: str = ""
) -> Response:
    return await browser.party.get(provider.back(await go(browser, following)))


async def logins(console: Console) -> list[tuple[str, str]]:
    return [(each.mode, each.outcome) for each in await console.house.all(LoginRow)]


async def test_another_browser_is_told_of_once(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    # ASVS 6.3.5
    for _ in range(2):
        await come_back(browser, provider)
        await browser.post("/sign-out")
    assert await console.alerts() == []
    async with console.browser() as other:
        for _ in range(2):
            await come_back(other, provider)
            await other.post("/sign-out")
    assert len(await console.alerts()) == 1


async def subjects(console: Console) -> list[FederatedSubjectRow]:
    """To whom Anna is bound."""
    found = await rows(console.house, FederatedSubjectRow)
    return [each for each in found if each.member_id == console.anna.id]


async def test_the_company_signs_in(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    # EE-17
    page = await browser.get("/sign-in")
    assert "Sign in with your company" in words(page)
    done = await come_back(browser, provider, f"{browser.base}/account")
    assert done.headers["location"] == f"{browser.base}/account"
    assert EMAIL in words(await browser.follow(done))
    (session,) = await console.house.all(MemberSessionRow)
    assert (session.member_id, session.mode) == (console.anna.id, "federated")
    assert await logins(console) == [("federated", "signed_in")]
    assert browser.cookie("federated") is None


async def test_each_sign_in_has_secrets_of_its_own(
    provider: OpenidProvider, browser: MemberBrowser
) -> None:
    asked = [parse_qs(urlsplit(await go(browser)).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert provider.asked == [DISCOVERY] * 2


async def test_after_its_end_it_asks_again(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    # EE-3
    await come_back(browser, provider)
    console.house.clock.turn(hours=25)
    page = await browser.follow(await browser.get())
    assert "You were logged out because nothing was done for a while" in words(page)
    assert "Sign in with your company" in words(page)
    assert provider.asked.count("/token") == 1


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"iss": "https://evil.example"}, "could not be trusted"),
        ({"aud": "another"}, "could not be trusted"),
        ({"aud": [CLIENT, "another"]}, "could not be trusted"),
        ({"azp": "another"}, "could not be trusted"),
        ({"nonce": "another"}, "could not be trusted"),
        ({"exp": 1}, "could not be trusted"),
        ({"iat": 99999999999}, "could not be trusted"),
        ({"sub": ""}, "could not be trusted"),
        ({"email_verified": False}, "has not verified your mail address"),
        ({"email_verified": "true"}, "has not verified your mail address"),
        ({"email": None}, "has not verified your mail address"),
        ({"email": "nobody@office.example"}, "No active account here"),
    ],
    ids=str,
)
async def test_what_is_said_must_be_for_this_sign_in(
    console: Console,
    provider: OpenidProvider,
    browser: MemberBrowser,
    claims: dict[str, Any],
    told: str,
) -> None:
    # OpenID Connect Core 3.1.3.7, EE-17
    provider.claims |= claims
    page = await come_back(browser, provider)
    assert page.status_code == 403
    assert told in words(page)
    assert await logins(console) == [("federated", "failed")]
    assert await console.house.all(MemberSessionRow) == []


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({}, "second"),
        ({"alg": "none"}, "first"),
        ({"alg": "RS512"}, "first"),
        ({"kid": "x"}, "first"),
    ],
    ids=["another key", "none", "another way", "unknown key"],
)
async def test_what_is_said_must_be_signed(
    provider: OpenidProvider, browser: MemberBrowser, header: dict[str, Any], key: str
) -> None:
    provider.header, provider.signed_with = header, key
    assert "could not be trusted" in words(await come_back(browser, provider))


async def test_an_answer_is_for_the_browser_that_asked(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    # RFC 9700 4.7: nobody is signed in as whom an attacker chose
    address = provider.back(await go(browser))
    async with console.browser() as victim:
        for begun in (False, True):
            if begun:
                await go(victim)
            page = await victim.party.get(address)
            assert page.status_code == 403
            assert "begun in another browser" in words(page)
    assert (await browser.party.get(address)).status_code == 303
    assert "begun in another browser" in words(await browser.party.get(address))


@pytest.mark.parametrize("query", ["?state=x", "?error=access_denied", "?iss=https://evil.example"])
async def test_what_is_no_answer_is_told(
    console: Console, provider: OpenidProvider, browser: MemberBrowser, query: str
) -> None:
    state = parse_qs(urlsplit(await go(browser)).query)["state"][0]
    given = query if "state" in query else f"{query}&state={state}"
    page = await browser.get(f"{WAY}/back{given}")
    assert page.status_code == 403
    assert ("cancelled" in words(page)) == ("error" in query)
    assert await logins(console) == [("federated", "failed")]
    assert provider.asked == [DISCOVERY]


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, b"{}", {}),
        (200, b"junk", {}),
        (200, b"[]", {}),
        (200, b"{}", {}),
        (302, b"", {"location": "http://127.0.0.1:1/"}),
        (200, b'"' + b"x" * 300_000 + b'"', {}),
        (200, b"{}", {"content-encoding": "gzip"}),
        (200, b'{"issuer": "https://evil.example"}', {}),
    ],
    ids=["500", "junk", "list", "nothing", "redirect", "long", "packed", "another issuer"],
)
async def test_a_provider_that_does_not_answer_well_is_told(
    console: Console,
    provider: OpenidProvider,
    browser: MemberBrowser,
    status: int,
    body: bytes,
    headers: dict[str, str],
) -> None:
    provider.instead[DISCOVERY] = (status, body, headers)
    page = await browser.get(WAY)
    assert page.status_code == 403
    assert "does not answer as it should" in words(page)
    assert await logins(console) == [("federated", "failed")]


@pytest.mark.parametrize("path", ["/token", "/jwks"])
async def test_nor_later(provider: OpenidProvider, browser: MemberBrowser, path: str) -> None:
    provider.instead[path] = (500, b"{}", {})
    assert "does not answer as it should" in words(await come_back(browser, provider))


@pytest.mark.parametrize("secret", ["wrong"])
async def test_a_wrong_client_is_told(
    console: Console, provider: OpenidProvider, browser: MemberBrowser, secret: str
) -> None:
    await trust(console, provider, client_secret=secret)
    assert "could not be trusted" in words(await come_back(browser, provider))


@pytest.mark.parametrize("domains", [(), ("strasse.example",)])
async def test_an_address_that_only_reads_alike_is_somebody_elses(
    console: Console, provider: OpenidProvider, browser: MemberBrowser, domains: tuple[str, ...]
) -> None:
    # Whoever owns straße.example is not whoever owns strasse.example.
    await make_member(console.house, "carl@strasse.example", "Carl Diaz")
    await trust(console, provider, domains=domains)
    for email, comes_in in (
        ("carl@straße.example", False),
        ("carl@\u017ftrasse.example", False),
        ("Carl@STRASSE.example", True),
    ):
        provider.claims = {"email": email}
        done = await come_back(browser, provider)
        assert (done.status_code == 303) is comes_in, email


async def test_only_addresses_of_named_domains_are_taken(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    await trust(console, provider, domains=("elsewhere.example",))
    assert "not of a domain" in words(await come_back(browser, provider))
    await trust(console, provider, domains=("Office.example",))
    assert (await come_back(browser, provider)).status_code == 303


async def test_by_subject_the_first_time_binds(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    await trust(console, provider, match=MatchBy.SUBJECT)
    assert (await come_back(browser, provider)).status_code == 303
    (bound,) = await subjects(console)
    assert "248289761001" not in str(vars(bound))
    # The same subject is Anna under whatever address, and no other subject is.
    provider.claims = {"email": "other@office.example"}
    assert (await come_back(browser, provider)).status_code == 303
    provider.claims = {"email": EMAIL, "sub": "another"}
    assert "No active account here" in words(await come_back(browser, provider))


async def test_another_provider_knows_nobody_yet(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    await trust(console, provider, match=MatchBy.SUBJECT)
    await come_back(browser, provider)
    assert len(await subjects(console)) == 1
    await trust(console, provider, match=MatchBy.SUBJECT, issuer="https://new.example")
    assert await subjects(console) == []


async def test_a_disabled_member_does_not_come_in(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    provider.claims = {"email": BEN}
    async with console.house.transactions.work() as work:
        await disable_member(work, console.house.workspace_id, console.ben.id, OPERATOR)
    assert "No active account here" in words(await come_back(browser, provider))


async def test_somebody_else_is_warned_first(console: Console, provider: OpenidProvider) -> None:
    # EX-4, C15
    provider.claims = {"email": BEN}
    async with console.signed_in() as browser:
        asked = await come_back(browser, provider)
        assert "/sign-in/switch" in asked.headers["location"]
        assert "Anna Berg is signed in on this browser" in words(await browser.follow(asked))
        done = await browser.post("/sign-in/switch")
        assert "Welcome, Ben Okri" in words(await browser.follow(done))


async def test_at_the_limit_one_can_end(console: Console, provider: OpenidProvider) -> None:
    # SH-5
    await set_here(console.house, session_allow_concurrent=True, session_concurrent_limit=1)
    async with console.signed_in(), console.browser() as browser:
        asked = await come_back(browser, provider)
        assert "/sign-in/room" in asked.headers["location"]
        page = words(await browser.follow(asked))
        assert "We know that it is you" in page
        assert "password" not in page.partition("Do you not know")[0]
    assert await logins(console) == [("password", "signed_in"), ("federated", "limit_reached")]


async def test_a_workspace_on_another_channel_is_denied(
    console: Console, provider: OpenidProvider
) -> None:
    # EE-20, EE-21: by default only those on `controlled` take part
    console.app = app_of(console.house, login_federated_channel="controlled")
    async with console.browser() as browser:
        assert "Sign in with your company" not in words(await browser.get("/sign-in"))
        for path in (WAY, f"{WAY}/back?code=x&state=y"):
            page = await browser.get(path)
            assert page.status_code == 403
            assert "Access Denied : Company sign-in" in words(page)
        (visit, _) = await console.house.all(PageVisitRow)
        assert (visit.page, visit.mode, visit.denied) == ("Company sign-in", "federated", True)
        assert provider.asked == []
        async with console.house.transactions.work() as work:
            key = browser.base.rpartition("/")[2]
            await put_on_channel(work, key, Channel.CONTROLLED)
        assert (await come_back(browser, provider)).status_code == 303


async def test_without_a_provider_there_is_no_such_page(browser: MemberBrowser) -> None:
    assert "Sign in with your company" not in words(await browser.get("/sign-in"))
    assert (await browser.get(WAY)).status_code == 404


async def test_an_answer_is_for_the_workspace_that_asked(
    console: Console, provider: OpenidProvider, browser: MemberBrowser, database_url: str
) -> None:
    # The same provider, client and browser; state and nonce are another workspace's.
    address = provider.back(await go(browser))
    async with open_console(database_url, login_federated_channel="general") as other:
        await trust(other, provider)
        base = await console_of(other.house)
        page = await browser.party.get(address.replace(f"{browser.base}/", f"{base}/"))
        assert "begun in another browser" in words(page)


async def test_the_clients_secret_is_sealed(console: Console, provider: OpenidProvider) -> None:
    # PS-44
    assert provider.issuer
    (row,) = await console.house.all(FederationRow)
    assert row.client_secret == SECRET
    assert row.sealed is not None
    assert SECRET.encode() not in row.sealed


async def test_the_subject_goes_with_the_account(
    console: Console, provider: OpenidProvider, browser: MemberBrowser
) -> None:
    await trust(console, provider, match=MatchBy.SUBJECT)
    await come_back(browser, provider)
    async with console.house.transactions.work() as work:
        anna = await member_by_id(work.db, console.house.workspace_id, console.anna.id, lock=True)
        assert anna is not None
        await empty_member(work.db, anna)
    assert await subjects(console) == []
