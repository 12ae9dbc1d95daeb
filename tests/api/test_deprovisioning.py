"""What a directory says of two hundred people, each signed in everywhere, holds at once (SH-12)."""

import time
from dataclasses import dataclass
from uuid import UUID

import pytest
from httpx2 import AsyncClient

from benchmarks.figures import median, percentile
from commands.member_session import Browser
from commands.trusted_device import trust_browser
from store.member import member_by_id
from store.trusted_device import TrustedDeviceRow
from tests.api.conftest import caller
from tests.api.directory import Directory
from tests.api.office import Office

PEOPLE = 200
SESSIONS = 5
"""Of each, the most that there may be (SH-5)."""
GROUP = "publisher"
AT_ONCE = 20
SLOWEST = 4.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with programs that are signed in, and a browser that is trusted."""

    id: str
    email: str
    access: list[str]
    refresh: list[str]


async def person(directory: Directory, office: Office, number: int) -> Person:
    email = f"person{number}@office.example"
    user = (await directory.create(email))["id"]
    async with office.house.transactions.work() as work:
        member = await member_by_id(work.db, office.house.workspace_id, UUID(user), lock=True)
        assert member is not None
        member.password = office.kept
        await trust_browser(work, member, Browser(name="Chromium on Linux"))
    tokens = await office.programs(UUID(user), SESSIONS)
    access, refresh = [each.access for each in tokens], [each.refresh for each in tokens]
    return Person(user, email, access, refresh)


@pytest.mark.load
@pytest.mark.timeout(240)
async def test_two_hundred_who_go_can_nothing_from_the_next_request_on(
    directory: Directory, office: Office
) -> None:
    """RELIABILITY 40: `active: false`, and the last group left; all refused within a second.

    The slowest of a machine that does other work are given some more.
    """
    await office.set(session_allow_concurrent=True)
    people = [await person(directory, office, number) for number in range(PEOPLE)]
    await let_in(directory, people)
    assert len(await office.sessions()) == PEOPLE * SESSIONS
    assert len(await office.house.all(TrustedDeviceRow)) == PEOPLE
    seconds = []
    async with caller(office.app) as programs:
        assert await statuses(programs, people[-1]) == {200}
        for number, each in enumerate(people):
            begun = time.perf_counter()
            if number % 10:
                await directory.set_active(each.id, active=False)
            else:
                await directory.take(GROUP, each.id)
            assert await statuses(programs, each) == {401}
            seconds.append(time.perf_counter() - begun)
            assert {(await office.refresh(token)).status_code for token in each.refresh} == {400}
            assert (await office.ask(username=each.email)).status_code == 400
    assert median(seconds) < 1
    assert percentile(seconds, 99) < SLOWEST
    assert await office.house.all(TrustedDeviceRow) == []
    assert {each.end_reason for each in await office.sessions()} == {"killed"}


async def let_in(directory: Directory, people: list[Person]) -> None:
    """Puts everybody into the group, some at a time as directories do."""
    for first in range(0, len(people), AT_ONCE):
        some = [{"value": each.id} for each in people[first : first + AT_ONCE]]
        await directory.patch(f"Groups/{GROUP}", {"op": "add", "path": "members", "value": some})


async def statuses(programs: AsyncClient, person: Person) -> set[int]:
    """What every program of somebody is answered."""
    shown = [{"authorization": f"Bearer {each}"} for each in person.access]
    return {(await programs.get("/api/v1/parties", headers=each)).status_code for each in shown}
