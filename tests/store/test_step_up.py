"""A fresh code before signing: the door's limits, one use, one window (ASVS 7.5.3, C11 to C13)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from commands.binding import Verify, verify
from commands.room import Visitor
from commands.signing import Signing
from commands.step_up import StepUp, ask_step_up, step_up
from domain.agreement_errors import StepUpNeeded, WindowLost
from domain.errors import CodeSpent, CodeWrong, VerificationLocked
from domain.window import Place
from store.code import CodeRow
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import SIGN, Desk, write_of
from tests.rooms.house import House, bare_house


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with bare_house(database_url) as house:
        yield house


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


class Asked:
    """A signer whose agreement asks for a fresh code, in an open window."""

    def __init__(self, desk: Desk, visitor: Visitor, opened: Signing) -> None:
        self.desk, self.visitor, self.opened = desk, visitor, opened

    @property
    def place(self) -> Place:
        """The window's place."""
        return write_of(self.opened).place

    async def mail(self) -> bool:
        """Asks for a code; whether one was mailed."""
        async with self.desk.house.transactions.work() as work:
            return (await ask_step_up(work, self.visitor, SIGN, self.place)).sent_now

    async def code(self) -> str:
        """A new code."""
        return await self.desk.house.fresh_code(self.visitor.session_id)

    async def type(self, digits: str) -> None:
        """Types a code."""
        wanted = StepUp(self.visitor, SIGN, self.place, digits)
        await step_up(self.desk.house.transactions, wanted)

    async def sign(self) -> None:
        """Signs."""
        await self.desk.sign(self.visitor, write_of(self.opened))

    async def row(self) -> SigningSessionRow:
        """The signing session."""
        return (await self.desk.house.all(SigningSessionRow))[0]


@pytest_asyncio.fixture
async def asked(desk: Desk) -> Asked:
    whole = await desk.sent(step_up=True)
    visitor = await desk.visitor(whole)
    return Asked(desk, visitor, await desk.open(visitor))


async def test_signing_waits_for_a_fresh_code(asked: Asked) -> None:
    before = await asked.desk.house.session(asked.visitor.session_id)
    with pytest.raises(StepUpNeeded):
        await asked.sign()
    assert await asked.mail()
    await asked.type(await asked.code())
    row = await asked.row()
    assert (row.stepped_up_at, row.stepped_up_fence) == (asked.desk.house.clock(), row.fence)
    after = await asked.desk.house.session(asked.visitor.session_id)
    assert (before.binding_id, before.fence) == (after.binding_id, after.fence)
    events = await asked.desk.house.audit(asked.visitor.session_id)
    assert events.count("signing_session.stepped_up") == 1
    await asked.sign()


async def test_a_second_click_mails_nothing(asked: Asked) -> None:
    """C13, SX-5: the door's own limits."""
    assert await asked.mail()
    assert not await asked.mail()
    assert len(await asked.desk.house.mails(asked.visitor.session_id, "code")) == 1


async def test_a_second_submit_of_the_right_code_is_the_first(asked: Asked) -> None:
    """SX-5."""
    digits = await asked.code()
    asked.desk.house.clock.turn(seconds=30)
    await asked.type(digits)
    asked.desk.house.clock.turn(seconds=1)
    await asked.type(digits)
    events = await asked.desk.house.audit(asked.visitor.session_id)
    assert events.count("signing_session.stepped_up") == 1


async def test_the_code_that_bound_the_browser_is_no_fresh_one(desk: Desk) -> None:
    whole = await desk.sent(step_up=True)
    session_id = await desk.session_of(whole)
    digits = await desk.house.fresh_code(session_id)
    link = await desk.house.link(session_id)
    bound = await verify(desk.house.transactions, Verify(link, "door-1", digits))
    visitor = Visitor(bound.session_id, bound.secret)
    asked = Asked(desk, visitor, await desk.open(visitor))
    with pytest.raises(CodeSpent):
        await asked.type(digits)
    with pytest.raises(StepUpNeeded):
        await asked.sign()


async def test_it_is_for_one_window_and_not_for_long(asked: Asked) -> None:
    await asked.type(await asked.code())
    asked.opened = await asked.desk.open(asked.visitor, "w2", take_over=True)
    with pytest.raises(StepUpNeeded):
        await asked.sign()
    await asked.type(await asked.code())
    for _ in range(3):
        asked.desk.house.clock.turn(minutes=4)
        asked.opened = await asked.desk.open(asked.visitor, "w2")
    with pytest.raises(StepUpNeeded):
        await asked.sign()


async def test_wrong_codes_are_counted_as_at_the_door(asked: Asked) -> None:
    """C12: five tries a browser, then the code is spent for it."""
    digits = await asked.code()
    wrong = str((int(digits) + 1) % 10**8).zfill(8)
    left = []
    for _ in range(4):
        with pytest.raises(CodeWrong) as refused:
            await asked.type(wrong)
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1]
    with pytest.raises(CodeSpent):
        await asked.type(wrong)
    with pytest.raises(CodeSpent):
        await asked.type(digits)
    events = await asked.desk.house.audit(asked.visitor.session_id)
    assert events.count("code_refused") == 5


async def test_a_hundred_failures_lock_the_party(asked: Asked) -> None:
    """C12, SX-16."""
    for _ in range(20):
        digits = await asked.code()
        wrong = str((int(digits) + 1) % 10**8).zfill(8)
        for _ in range(5):
            with pytest.raises((CodeWrong, CodeSpent, VerificationLocked)):
                await asked.type(wrong)
        asked.desk.house.clock.turn(minutes=1)
        asked.desk.house.clock.turn(seconds=-60)
    with pytest.raises(VerificationLocked):
        await asked.type(await asked.code())


async def test_a_lost_window_asks_and_types_in_vain(asked: Asked) -> None:
    """EX-21: what a window sends after it lost its place changes nothing."""
    digits = await asked.code()
    await asked.desk.open(asked.visitor, "w2", take_over=True)
    with pytest.raises(WindowLost):
        await asked.mail()
    with pytest.raises(WindowLost):
        await asked.type(digits)
    assert (await asked.row()).stepped_up_at is None
    assert all(each.consumed_at is None for each in await codes(asked) if each.counter > 1)


async def codes(asked: Asked) -> list[CodeRow]:
    """The session's codes."""
    from store.code import living_codes

    async with asked.desk.house.transactions.work() as work:
        return list(await living_codes(work.db, asked.visitor.session_id, work.at))


async def test_twenty_at_once_with_one_code_step_up_once(asked: Asked) -> None:
    """Race: one guarded statement uses the code up; every submit of it is answered as the first."""
    digits = await asked.code()
    done = await asyncio.gather(*(asked.type(digits) for _ in range(20)), return_exceptions=True)
    refused = [each for each in done if each is not None]
    assert all(isinstance(each, CodeSpent) for each in refused), refused
    events = await asked.desk.house.audit(asked.visitor.session_id)
    assert events.count("signing_session.stepped_up") == 1
    row = await asked.row()
    assert row.stepped_up_fence == row.fence


async def test_twenty_wrong_ones_at_once_have_five_tries(asked: Asked) -> None:
    """Race, C12: each try is counted before it is compared."""
    digits = await asked.code()
    wrong = str((int(digits) + 1) % 10**8).zfill(8)
    await asyncio.gather(*(asked.type(wrong) for _ in range(20)), return_exceptions=True)
    with pytest.raises(CodeSpent):
        await asked.type(digits)
    assert (await asked.row()).stepped_up_at is None
