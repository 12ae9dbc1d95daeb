"""The door: a link opens nothing, a typed code binds one browser, limits hold."""

from datetime import timedelta

import pytest

from commands.binding import Verify, verify
from commands.code import CodeMail
from commands.door import ask_code, code_mail, open_door
from commands.party import find_party, unlock_verification
from commands.public_session import revoke
from commands.room import Visitor, enter, enter_to_act
from domain.code import TO_COME_IN
from domain.errors import (
    BindingLost,
    CodeSpent,
    CodeWrong,
    NoContactAddress,
    NotFound,
    SessionEnded,
    VerificationLocked,
)
from store.audit import AuditRow
from store.code import CodeRow, living_codes
from store.public_session import PublicSessionRow
from store.visit import visits_of
from tests.rooms.house import ANNA, START, House

WRONG = "not it"


async def issued(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


async def ask(house: House, session: PublicSessionRow, door: str = "door-1") -> CodeMail:
    link = await house.link(session.id)
    async with house.transactions.work() as work:
        return await ask_code(work, link, door)


async def type_code(
    house: House, session: PublicSessionRow, typed: str, door: str = "door-1"
) -> Visitor:
    bound = await verify(house.transactions, Verify(await house.link(session.id), door, typed))
    return Visitor(bound.session_id, bound.secret)


async def act(house: House, visitor: Visitor) -> None:
    async with house.transactions.work() as work:
        await enter_to_act(work, visitor)


async def newest_code(house: House, session: PublicSessionRow) -> CodeRow:
    async with house.transactions.work() as work:
        return (await living_codes(work.db, session.id, work.at, TO_COME_IN))[0]


async def digits_of(house: House, session: PublicSessionRow) -> str:
    row = await newest_code(house, session)
    settings = house.transactions.settings
    keyring = house.transactions.keyring
    return keyring.code(session.id, row.counter, row.key_version, settings.code_digits)


async def test_opening_a_link_changes_a_counter_and_nothing_else(house: House) -> None:
    # PS-26, SX-7
    session = await issued(house)
    link, before = await house.link(session.id), await house.session(session.id)
    for counted in (False, True, True):
        async with house.transactions.work() as work:
            door = await open_door(work, link, counted=counted)
    assert (door.end_reason, len(door.tasks)) == (None, 2)
    assert door.address.startswith("v•••@")
    assert await house.session(session.id) == before
    assert await house.audit(session.id) == ["issued"]
    async with house.transactions.work() as work:
        assert await visits_of(work.db, [session.id]) == {session.id: 2}


async def test_a_link_nobody_issued_is_not_found(house: House) -> None:
    async with house.transactions.work() as work:
        with pytest.raises(NotFound):
            await open_door(work, "a" * 32)


async def test_a_code_is_mailed_and_a_second_click_mails_nothing(house: House) -> None:
    # SX-5, C13
    session = await issued(house)
    first = await ask(house, session)
    again = await ask(house, session)
    assert (first.sent_now, again.sent_now) == (True, False)
    assert again.next_at == START + timedelta(minutes=1)
    assert (again.state, again.asked_at) == ("queued", START)
    assert len(await house.mails(session.id, "code")) == 1
    async with house.transactions.work() as work:
        shown = await code_mail(work, await house.link(session.id))
    assert shown == again


async def test_asking_again_sends_the_same_code_then_a_new_one_and_both_are_good(
    house: House,
) -> None:
    # C13
    session = await issued(house)
    await ask(house, session)
    old = await digits_of(house, session)
    house.clock.turn(minutes=6)
    await ask(house, session)
    assert await digits_of(house, session) == old
    house.clock.turn(minutes=2)
    await ask(house, session)
    assert await digits_of(house, session) != old
    mails = await house.mails(session.id, "code")
    assert len({each.id for each in mails}) == 3
    assert len({each.code_id for each in mails}) == 2
    house.clock.turn(minutes=1)
    await act(house, await type_code(house, session, old))


async def test_nobody_can_be_flooded_with_codes(house: House) -> None:
    # C12, C13: five an hour, whichever session asks
    moved = await house.create()
    other = (await house.issue_to(moved.party, "intake")).session
    for number in range(8):
        await ask(house, (moved.issued[0], other)[number % 2])
        house.clock.turn(minutes=2)
    sent = [len(await house.mails(each.id, "code")) for each in (moved.issued[0], other)]
    assert sum(sent) == 5
    house.clock.turn(minutes=60)
    assert (await ask(house, other)).sent_now


async def test_a_party_without_address_gets_no_code(house: House) -> None:
    # PS-37
    session = (await house.create(email="")).issued[0]
    with pytest.raises(NoContactAddress):
        await ask(house, session)


async def test_the_right_code_binds_the_browser_and_starts_the_session(house: House) -> None:
    # PS-26, PS-27
    session = await issued(house)
    visitor = await house.enter(session.id)
    row = await house.session(session.id)
    assert (row.status, row.fence, row.started_at) == ("in_progress", 1, START)
    await act(house, visitor)
    (told,) = [each for each in await house.intents(session.id) if each.signal]
    assert (told.signal, told.payload["fence"]) == ("take_over", 1)
    assert told.payload["idle_at"] == (START + timedelta(minutes=31)).isoformat()


@pytest.mark.parametrize("secret", ["", "a stranger's"])
async def test_a_stranger_learns_nothing_of_a_room(house: House, secret: str) -> None:
    # PS-31
    session = await issued(house)
    await house.enter(session.id)
    async with house.transactions.work() as work:
        with pytest.raises(NotFound):
            await enter(work, Visitor(session.id, secret))


async def test_a_cookie_of_one_session_opens_no_other(house: House) -> None:
    # SX-8
    moved = await house.create()
    other = (await house.issue_to(moved.party, "intake")).session
    visitor = await house.enter(moved.issued[0].id)
    await house.enter(other.id)
    async with house.transactions.work() as work:
        with pytest.raises(NotFound):
            await enter(work, Visitor(other.id, visitor.secret))


async def test_a_second_browser_takes_over_and_the_first_is_told_why(house: House) -> None:
    # PS-27, SX-11, C3
    session = await issued(house)
    first = await house.enter(session.id, "door-1")
    await house.complete(first, "profile")
    second = await house.enter(session.id, "door-2")
    with pytest.raises(BindingLost) as caught:
        await act(house, first)
    assert caught.value.reason == "opened_elsewhere"
    await house.complete(second, "terms")
    trail = await house.audit(session.id)
    assert trail == [
        "issued",
        "activated",
        "task.completed",
        "taken_over",
        "task.completed",
        "completed",
    ]


async def test_coming_back_after_idling_is_resuming_not_taking_over(house: House) -> None:
    # SX-6, SX-15
    session = await issued(house)
    await house.enter(session.id, "door-1")
    house.clock.turn(hours=2)
    await house.enter(session.id, "door-1")
    assert (await house.audit(session.id))[-1] == "resumed"
    assert (await house.session(session.id)).fence == 2


async def test_the_same_browser_submits_the_right_code_twice(house: House) -> None:
    # SX-5
    session = await issued(house)
    digits = await house.fresh_code(session.id)
    first = await type_code(house, session, digits)
    second = await type_code(house, session, digits)
    assert first == second
    assert (await house.session(session.id)).fence == 1
    house.clock.turn(minutes=10)
    with pytest.raises(CodeSpent):
        await type_code(house, session, digits)


async def test_a_used_code_is_no_use_to_another_browser(house: House) -> None:
    # PS-26
    session = await issued(house)
    digits = await house.fresh_code(session.id)
    await type_code(house, session, digits, "door-1")
    with pytest.raises(CodeSpent):
        await type_code(house, session, digits, "door-2")
    house.clock.turn(minutes=1)
    other = await house.fresh_code(session.id)
    await type_code(house, session, other, "door-2")
    with pytest.raises(CodeSpent):
        await type_code(house, session, digits, "door-1")


@pytest.mark.parametrize(("seconds", "good"), [(599, True), (600, False), (601, False)])
async def test_a_code_is_good_to_the_second(house: House, seconds: int, good: bool) -> None:
    # C11
    session = await issued(house)
    digits = await house.fresh_code(session.id)
    house.clock.turn(seconds=seconds)
    if good:
        await type_code(house, session, digits)
    else:
        with pytest.raises(CodeSpent):
            await type_code(house, session, digits)


async def test_five_tries_a_browser_while_the_person_still_gets_in(house: House) -> None:
    # C12, SX-7
    session = await issued(house)
    digits = await house.fresh_code(session.id)
    left = []
    for _ in range(4):
        with pytest.raises(CodeWrong) as caught:
            await type_code(house, session, WRONG, "robot")
        left.append(caught.value.tries_left)
    assert left == [4, 3, 2, 1]
    for typed in (WRONG, digits):
        with pytest.raises(CodeSpent):
            await type_code(house, session, typed, "robot")
    await act(house, await type_code(house, session, digits, "person"))


async def test_twenty_tries_a_code_then_a_new_one_is_asked_for(house: House) -> None:
    # C12
    session = await issued(house)
    await ask(house, session)
    digits = await digits_of(house, session)
    for robot in range(4):
        for _ in range(5):
            with pytest.raises((CodeWrong, CodeSpent)):
                await type_code(house, session, WRONG, f"robot-{robot}")
    with pytest.raises(CodeSpent):
        await type_code(house, session, digits, "person")
    house.clock.turn(minutes=1)
    await ask(house, session, "person")
    await act(house, await type_code(house, session, await digits_of(house, session), "person"))


async def test_a_hundred_failures_lock_the_party_until_an_administrator_clears_it(
    house: House,
) -> None:
    # C12, SX-16
    session = await issued(house)
    async with house.transactions.work() as work:
        party = await find_party(work, house.workspace_id, session.party_id)
        party.failed_verifications = 98
    digits = await house.fresh_code(session.id)
    with pytest.raises(CodeWrong):
        await type_code(house, session, WRONG)
    with pytest.raises(VerificationLocked):
        await type_code(house, session, WRONG)
    with pytest.raises(VerificationLocked):
        await type_code(house, session, digits, "person")
    with pytest.raises(VerificationLocked):
        await ask(house, session)
    assert "party.verification_locked" in await house.audit(session.id)
    async with house.transactions.work() as work:
        await unlock_verification(work, house.workspace_id, session.party_id, ANNA)
    await act(house, await type_code(house, session, digits, "person"))
    last = [each.details for each in await house.all(AuditRow) if "unlocked" in each.event]
    assert last == [{"failures": 100}]


async def test_no_door_opens_after_the_end(house: House) -> None:
    # PS-29, PS-30
    session = await issued(house)
    digits = await house.fresh_code(session.id)
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    with pytest.raises(SessionEnded):
        await type_code(house, session, digits)
    with pytest.raises(SessionEnded):
        await ask(house, session)
    async with house.transactions.work() as work:
        assert (await open_door(work, await house.link(session.id))).end_reason == "revoked"


async def test_a_code_outlives_no_session(house: House) -> None:
    session = await issued(house)
    house.clock.turn(days=14, minutes=-5)
    await ask(house, session)
    assert (await newest_code(house, session)).expires_at == START + timedelta(days=14)
