"""A fresh code before signing: the door's limits, one use, one window (ASVS 7.5.3, C11 to C13)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from commands.agreement_completion import completion_of
from commands.binding import Verify, verify
from commands.door import ask_code
from commands.mail_draft import compose_mail
from commands.room import Visitor, enter_to_look
from commands.signing import Signing
from commands.step_up import StepUp, ask_step_up, step_up, step_up_mail
from domain.agreement_errors import StepUpNeeded, WindowLost
from domain.code import CodePurpose, CodeUse
from domain.errors import CodeSpent, CodeWrong, VerificationLocked
from domain.window import Place
from store.code import CodeRow, living_codes
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import CONTRACT, SIGN, Desk, write_of
from tests.rooms.house import DOCUMENT, House, bare_house


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
        """A new code, asked for here once that may be done again."""
        self.desk.house.clock.turn(minutes=1)
        assert await self.mail()
        return await self.desk.house.mailed_code(self.visitor.session_id)

    @property
    def use(self) -> CodeUse:
        """What a code asked for here is good for."""
        binding = self.opened.session.binding_id
        return CodeUse(CodePurpose.SIGNING, self.opened.task.id, binding)

    async def made(self) -> str:
        """As `code`, without its mail: there may be five in an hour."""
        return await self.desk.house.fresh_code(self.visitor.session_id, self.use)

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
    assert len(await asked.desk.house.mails(asked.visitor.session_id, "signing_code")) == 1


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


async def test_a_code_to_come_in_with_does_not_sign(asked: Asked) -> None:
    """ASVS 7.5.3: its mail did not say that it signs; it opens the door all the same."""
    house, session_id = asked.desk.house, asked.visitor.session_id
    digits = await house.fresh_code(session_id)
    with pytest.raises(CodeSpent):
        await asked.type(digits)
    await asked.made()
    with pytest.raises(CodeWrong):
        await asked.type(digits)
    with pytest.raises(StepUpNeeded):
        await asked.sign()
    await verify(house.transactions, Verify(await house.link(session_id), "door-2", digits))


async def test_a_code_to_sign_with_lets_nobody_in(asked: Asked) -> None:
    house, session_id = asked.desk.house, asked.visitor.session_id
    digits, link = await asked.code(), await house.link(session_id)
    with pytest.raises(CodeSpent):
        await verify(house.transactions, Verify(link, "door-2", digits))
    await house.fresh_code(session_id)
    with pytest.raises(CodeWrong):
        await verify(house.transactions, Verify(link, "door-2", digits))
    await asked.type(digits)


@pytest.mark.parametrize("door", ["door-1", "door-2"])
async def test_what_another_browser_asked_for_does_not_sign_here(asked: Asked, door: str) -> None:
    """Whoever took the place over, or came in anew, asks for a code of its own."""
    digits = await asked.code()
    visitor = await asked.desk.house.enter(asked.visitor.session_id, door)
    after = Asked(asked.desk, visitor, await asked.desk.open(visitor, "w2", take_over=True))
    with pytest.raises(CodeSpent):
        await after.type(digits)
    own = await after.code()
    with pytest.raises(CodeWrong):
        await after.type(digits)
    await after.type(own)
    await after.sign()


async def test_a_code_signs_what_it_was_asked_for(desk: Desk) -> None:
    """Of two documents in one session, by one browser."""
    house = desk.house
    await desk.certify()
    await house.save("document", "terms", DOCUMENT)
    (task,) = CONTRACT["tasks"]
    tasks = [task | {"step_up": True}, task | {"key": "other", "step_up": True}]
    await house.publish("contract", CONTRACT | {"tasks": tasks, "ordered": False})
    moved = await house.create(kind="signer")
    visitor = await house.enter((await house.issue_to(moved.party, "contract")).session.id)
    asked = Asked(desk, visitor, await desk.open(visitor))
    digits = await asked.code()
    other = await desk.open(visitor, task="other")
    wanted = StepUp(visitor, "other", write_of(other).place, digits)
    with pytest.raises(CodeSpent):
        await step_up(house.transactions, wanted)
    await asked.type(digits)


async def test_mails_of_both_kinds_count_together(asked: Asked) -> None:
    """C12, C13: the limits are the address's; what the page tells of is the mail asked for here."""
    house, session_id = asked.desk.house, asked.visitor.session_id
    link = await house.link(session_id)
    async with house.transactions.work() as work:
        assert (await ask_code(work, link, "door-2")).sent_now
    async with house.transactions.work() as work:
        shown = await step_up_mail(work, await enter_to_look(work, asked.visitor))
    assert (shown.asked_at, shown.next_at) == (None, house.clock() + timedelta(minutes=1))
    assert not await asked.mail()
    for _ in range(4):
        await asked.code()
        await asked.desk.open(asked.visitor)
    house.clock.turn(minutes=1)
    assert not await asked.mail()
    async with house.transactions.work() as work:
        assert not (await ask_code(work, link, "door-2")).sent_now


async def test_the_mail_says_what_the_code_signs(asked: Asked) -> None:
    """C11: and brings no link."""
    house, session_id = asked.desk.house, asked.visitor.session_id
    digits = await asked.code()
    (mail,) = await house.mails(session_id, "signing_code")
    async with house.transactions.work() as work:
        draft, _ = await compose_mail(work, mail.id)
    assert draft is not None
    said = " ".join(draft.rendered.text.split())
    assert 'is about to sign "Supply agreement" from Demo Ltd in the name of Vera Ltd' in said
    assert f"{digits[:4]} {digits[4:]}" in said
    assert "http" not in said


async def test_the_certificate_says_by_which_codes_a_signer_was_verified(asked: Asked) -> None:
    """ASVS 7.5.3: on entry and at signing, each with its time."""
    house, entered_at = asked.desk.house, asked.desk.house.clock()
    await asked.type(await asked.code())
    stepped_up_at = house.clock()
    house.clock.turn(seconds=40)
    await asked.sign()
    whole = await asked.desk.now(asked.opened.agreement.id)
    async with house.transactions.work() as work:
        (said,) = (await completion_of(work, whole.row, whole.signers)).signers
    assert (said.mailbox_confirmed_at, said.stepped_up_at) == (entered_at, stepped_up_at)
    assert said.signed_at == stepped_up_at + timedelta(seconds=40)


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
        digits = await asked.made()
        wrong = str((int(digits) + 1) % 10**8).zfill(8)
        for _ in range(5):
            with pytest.raises((CodeWrong, CodeSpent, VerificationLocked)):
                await asked.type(wrong)
        asked.desk.house.clock.turn(minutes=1)
        asked.desk.house.clock.turn(seconds=-60)
    with pytest.raises(VerificationLocked):
        await asked.type(await asked.made())


async def test_a_lost_window_asks_and_types_in_vain(asked: Asked) -> None:
    """EX-21: what a window sends after it lost its place changes nothing."""
    digits = await asked.code()
    await asked.desk.open(asked.visitor, "w2", take_over=True)
    with pytest.raises(WindowLost):
        await asked.mail()
    with pytest.raises(WindowLost):
        await asked.type(digits)
    assert (await asked.row()).stepped_up_at is None
    assert [each.consumed_at for each in await codes(asked)] == [None]


async def codes(asked: Asked) -> list[CodeRow]:
    """The living codes that were asked for here."""
    async with asked.desk.house.transactions.work() as work:
        return list(await living_codes(work.db, asked.visitor.session_id, work.at, asked.use))


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
