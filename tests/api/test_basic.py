"""Members' programs that sign in with HTTP Basic at every request (EE-3, EE-12, EE-17)."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from commands import password as passwords
from commands import sign_in
from commands.member import disable_member
from commands.member_session import SessionTarget, kill_session
from domain.actor import OPERATOR
from store.access import LoginRow
from tests.api.office import PASSWORD, Office
from tests.rooms.house import Clock

EMAIL = "anna@office.example"


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The password of each comparison by argon2."""
    seen: list[str] = []
    compare = passwords.is_right

    async def counting(typed: str, kept: str) -> bool:
        seen.append(typed)
        return await compare(typed, kept)

    monkeypatch.setattr(sign_in, "is_right", counting)
    return seen


async def ask(
    office: Office, email: str = EMAIL, password: str = PASSWORD, **more: Any
) -> Response:
    """One request of a client that calls itself `name`."""
    shown = f"{more.get('workspace', office.workspace)}/{email}:{password}"
    return await raw(office, base64.b64encode(shown.encode()).decode(), more.get("name", "crm"))


async def raw(office: Office, text: str, name: str = "crm") -> Response:
    headers = {"authorization": f"Basic {text}", "user-agent": name}
    return await office.client.get("/api/v1/members", headers=headers)


async def logins(office: Office) -> list[tuple[str, str]]:
    return [(each.mode, each.outcome) for each in await office.house.all(LoginRow)]


@pytest.fixture
async def open_office(office: Office) -> Office:
    """An office that allows this way, with Anna."""
    await office.member()
    await office.set(login_basic=True)
    return office


async def test_a_client_has_one_session_and_one_comparison(
    open_office: Office, compared: list[str]
) -> None:
    for _ in range(3):
        assert (await ask(open_office)).status_code == 200
    assert len(compared) == 1
    (session,) = await open_office.sessions()
    assert (session.mode, session.browser) == ("basic", "crm")
    assert await logins(open_office) == [("basic", "signed_in")]
    assert PASSWORD not in str(vars(session))


async def test_requests_that_come_at_once_share_a_session(open_office: Office) -> None:
    answers = await asyncio.gather(*(ask(open_office) for _ in range(8)))
    assert {each.status_code for each in answers} == {200}
    assert len(await open_office.sessions()) == 1


async def test_off_is_the_default_and_is_in_the_report(office: Office, compared: list[str]) -> None:
    # EE-17
    await office.member()
    assert (await ask(office)).status_code == 401
    assert compared == []
    assert await logins(office) == [("basic", "failed")]


async def test_switching_it_off_works_at_once(open_office: Office) -> None:
    assert (await ask(open_office)).status_code == 200
    await open_office.set(login_basic=False)
    assert (await ask(open_office)).status_code == 401


@pytest.mark.parametrize("passed", [timedelta(minutes=6), timedelta(hours=25)])
async def test_a_session_that_is_over_is_followed_by_another(
    open_office: Office, clock: Clock, passed: timedelta
) -> None:
    # EE-3
    await ask(open_office)
    (before,) = await open_office.sessions()
    clock.turn(seconds=passed.total_seconds())
    assert (await ask(open_office)).status_code == 200
    (after,) = await open_office.sessions()
    assert after.id != before.id


async def test_requests_are_activity(
    open_office: Office, clock: Clock, compared: list[str]
) -> None:
    for _ in range(4):
        assert (await ask(open_office)).status_code == 200
        clock.turn(minutes=4)
    assert len(compared) == 1


async def test_a_killed_session_is_followed_and_stays_to_be_seen(open_office: Office) -> None:
    # EE-3, SH-14
    await ask(open_office)
    (killed,) = await open_office.sessions()
    async with open_office.house.transactions.work() as work:
        target = SessionTarget(open_office.house.workspace_id, killed.id, OPERATOR)
        await kill_session(work, target)
    assert (await ask(open_office)).status_code == 200
    ended = {each.id: each.end_reason for each in await open_office.sessions()}
    assert len(ended) == 2
    assert ended[killed.id] == "killed"


async def test_never_a_sixth_session(open_office: Office, clock: Clock) -> None:
    # EE-12, C17: whatever the workspace sets, the oldest ends for the newest, and comes again
    for name in ("a", "b", "c", "d", "e", "f", "a"):
        assert (await ask(open_office, name=name)).status_code == 200
        clock.turn(seconds=1)
    living = [each for each in await open_office.sessions() if each.ended_at is None]
    assert sorted(each.browser for each in living) == ["a", "c", "d", "e", "f"]


async def test_fifty_clients_at_once_have_five_sessions(
    open_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def right(_password: str, _kept: str) -> bool:
        return True

    monkeypatch.setattr(sign_in, "is_right", right)
    await asyncio.gather(*(ask(open_office, name=f"client {n}") for n in range(50)))
    assert len([each for each in await open_office.sessions() if each.ended_at is None]) == 5


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"email": "nobody@office.example"}, {"workspace": "nowhere"}],
    ids=lambda each: next(iter(each)),
)
async def test_strangers_and_wrong_ones_are_refused_alike(
    open_office: Office, wrong: dict[str, str]
) -> None:
    right = await ask(open_office)
    answer = await ask(open_office, **wrong)
    assert (right.status_code, answer.status_code) == (200, 401)
    assert answer.content == (await raw(open_office, "junk")).content


async def test_wrong_passwords_lock_and_what_is_open_goes_on(open_office: Office) -> None:
    # SX-16
    await open_office.set(login_failures=3)
    assert (await ask(open_office)).status_code == 200
    for _ in range(3):
        await ask(open_office, password="wrong")
    assert (await ask(open_office)).status_code == 200
    assert (await ask(open_office, name="another")).status_code == 401
    assert (await logins(open_office))[-1] == ("basic", "locked")


async def test_a_disabled_member_is_out_at_once(open_office: Office) -> None:
    await ask(open_office)
    (session,) = await open_office.sessions()
    await open_office.member(email="second@office.example")
    async with open_office.house.transactions.work() as work:
        await disable_member(work, open_office.house.workspace_id, session.member_id, OPERATOR)
    assert (await ask(open_office)).status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%",
        "YQ==",
        base64.b64encode(b"a/b:\xff").decode(),
        base64.b64encode(b"a/b\0:c").decode(),
    ],
)
async def test_junk_is_nobody(office: Office, text: str) -> None:
    assert (await raw(office, text)).status_code == 401
