"""A second before its end everything is allowed, a second after it nothing is: 200 of 200 each."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from commands.member_link import LinkKind, make_link, open_link
from commands.member_session import PURPOSE, SignedIn, recognise_member
from commands.member_token import first_tokens, member_of_access
from commands.work import Work
from domain.member import Role
from domain.member_errors import LinkOver
from domain.member_session import MemberSessionEnd
from domain.sign_in import SignInMode
from store.member import MemberRow
from store.member_session import MemberSessionRow
from tests.rooms.house import START, House, bare_house
from tests.rooms.members import register

EMAIL = "anna@office.example"
TIMES = range(1, 201)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest_asyncio.fixture
async def house(module_database_url: str) -> AsyncIterator[House]:
    async with bare_house(module_database_url) as house:
        yield house


async def begin(
    work: Work,
    member: MemberRow,
    secret: str,
    idle: timedelta,
    grace: timedelta,
    absolute: timedelta,
) -> MemberSessionRow:
    """A session with these lengths."""
    row = MemberSessionRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        digest=work.keyring.digest(PURPOSE, secret),
        key_version=work.keyring.current,
        mode=SignInMode.PASSWORD,
        signed_in_at=work.at,
        idle=idle,
        grace=grace,
        absolute_at=work.at + absolute,
    )
    row.touch(work.at)
    work.db.add(row)
    await work.db.flush()
    return row


async def why_over(work: Work, member: MemberRow, secret: str) -> str | None:
    found = await recognise_member(work, member.workspace_id, secret, acting=False)
    return None if isinstance(found, SignedIn) else found.reason


@pytest.mark.parametrize("end", [MemberSessionEnd.INACTIVE, MemberSessionEnd.ABSOLUTE_TIMEOUT])
async def test_sessions_end_to_the_second_and_stay_over(
    house: House, end: MemberSessionEnd
) -> None:
    # SH-3, EE-1, C2: by silence and grace, or absolutely; a clock that steps back revives none
    member = await register(house, EMAIL, Role.ADMIN)
    told, revived = [], 0
    async with house.transactions.work() as work:
        for number in TIMES:
            secret, length, grace = (
                f"{end}{number}",
                timedelta(seconds=60 + number),
                number * SECOND,
            )
            is_silent = end is MemberSessionEnd.INACTIVE
            terms = (length, grace, DAY) if is_silent else (DAY, grace, length)
            over_at = START + (length + grace if is_silent else length)
            work.at = START
            await begin(work, member, secret, *terms)
            work.at = over_at - SECOND
            before = await why_over(work, member, secret)
            work.at = over_at + SECOND
            told.append((before, await why_over(work, member, secret)))
            work.at = over_at - SECOND
            revived += await why_over(work, member, secret) is None
    assert told == [(None, end)] * len(TIMES)
    assert revived == 0


async def test_access_tokens_end_to_the_second(house: House) -> None:
    # SH-9
    member = await register(house, EMAIL, Role.ADMIN)
    before, after = 0, 0
    async with house.transactions.work() as work:
        for number in TIMES:
            work.at, life = START, timedelta(seconds=60 + number)
            work.settings = replace(work.settings, token_access=life)
            session = await begin(work, member, f"token{number}", DAY, SECOND, DAY)
            access = (await first_tokens(work, session)).access
            work.at = START + life - SECOND
            before += await member_of_access(work, access) is not None
            work.at = START + life + SECOND
            after += await member_of_access(work, access) is not None
    assert (before, after) == (len(TIMES), 0)


async def is_open(work: Work, member: MemberRow, token: str) -> bool:
    try:
        await open_link(work, member.workspace_id, token)
    except LinkOver:
        return False
    return True


async def test_links_end_to_the_second(house: House) -> None:
    # SH-7, SH-8
    member = await register(house, EMAIL, Role.ADMIN)
    before, after = 0, 0
    async with house.transactions.work() as work:
        for number in TIMES:
            work.at, life = START, timedelta(minutes=5, seconds=number)
            work.settings = replace(work.settings, link_account=life)
            row = await make_link(work, member, LinkKind.FORGOT_PASSWORD)
            token = work.keyring.member_link_token(row.id, row.key_version)
            work.at = START + life - SECOND
            before += await is_open(work, member, token)
            work.at = START + life + SECOND
            after += await is_open(work, member, token)
    assert (before, after) == (len(TIMES), 0)
