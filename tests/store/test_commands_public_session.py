"""Revoking, extending, resending, re-issuing, correcting an address, and what time does."""

from datetime import timedelta
from typing import Any

import pytest

from commands.binding import Verify, verify
from commands.door import open_door
from commands.public_session import (
    Target,
    carry_revocation,
    check_bound,
    check_idle,
    correct_address,
    extend,
    reissue,
    remind,
    resend,
    revoke,
)
from commands.room import Visitor, decline_room, enter_to_act, quit_room
from domain.actor import OPERATOR
from domain.errors import (
    BindingLost,
    CodeSpent,
    ExtensionRefused,
    MailTooSoon,
    NoContactAddress,
    NotFound,
    PartyInvalid,
    ReissueRefused,
    SessionEnded,
)
from domain.public_session import EndReason
from store.audit import AuditRow
from store.columns import new_id
from store.intent import IntentRow
from store.public_session import PublicSessionRow
from tests.rooms.house import ANNA, START, House

DAY = timedelta(days=1)


async def issued(house: House, **fields: Any) -> PublicSessionRow:
    return (await house.create(**fields)).issued[0]


async def told(house: House, session: PublicSessionRow) -> list[IntentRow]:
    return [each for each in await house.intents(session.id) if each.signal]


async def do(house: House, verb: Any, session: PublicSessionRow, *more: Any) -> Any:
    async with house.transactions.work() as work:
        return await verb(work, house.target(session), *more)


async def may_act(house: House, visitor: Visitor) -> None:
    async with house.transactions.work() as work:
        await enter_to_act(work, visitor)


async def complete_all(house: House, session: PublicSessionRow) -> None:
    visitor = await house.enter(session.id)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")


async def test_revoking_ends_access_at_once_with_a_rationale(house: House) -> None:
    # PS-30
    session = await issued(house)
    visitor = await house.enter(session.id)
    row = await do(house, revoke, session, "left the programme", "Please call us.")
    assert (row.status, row.end_reason, row.ended_at) == ("revoked", "revoked", START)
    assert (row.rationale, row.message, row.binding_id) == (
        "left the programme",
        "Please call us.",
        None,
    )
    with pytest.raises(SessionEnded):
        await may_act(house, visitor)
    last = (await house.all(AuditRow))[-1]
    assert (last.event, last.reason, last.actor) == (
        "public_session.revoked",
        "left the programme",
        "token:t1",
    )
    assert [each.signal for each in await told(house, session)] == ["take_over", "revoke"]


async def test_revoking_twice_changes_nothing(house: House) -> None:
    session = await issued(house)
    await do(house, revoke, session, "one")
    row = await do(house, revoke, session, "two")
    assert row.rationale == "one"
    assert (await house.audit(session.id)).count("revoked") == 1


@pytest.mark.parametrize("verb", [revoke, resend, reissue, correct_address, extend])
async def test_foreign_and_unknown_sessions_are_not_found_alike(house: House, verb: Any) -> None:
    more = {
        revoke: ("why",),
        reissue: ("why",),
        correct_address: ("a@b.example",),
        extend: (START + 20 * DAY, "why"),
    }.get(verb, ())
    foreign = Target((await issued(house)).id, new_id(), ANNA)
    for target in (Target(new_id(), house.workspace_id, ANNA), foreign):
        async with house.transactions.work() as work:
            with pytest.raises(NotFound):
                await verb(work, target, *more)


@pytest.mark.parametrize("verb", [revoke, resend, correct_address, extend])
async def test_an_ended_session_takes_none_of_these_verbs(house: House, verb: Any) -> None:
    more = {
        revoke: ("why",),
        correct_address: ("a@b.example",),
        extend: (START + 20 * DAY, "why"),
    }.get(verb, ())
    session = await issued(house)
    await complete_all(house, session)
    with pytest.raises(SessionEnded) as caught:
        await do(house, verb, session, *more)
    assert caught.value.end_reason == "completed"


async def test_a_deadline_that_has_come_refuses_before_any_worker_has_acted(house: House) -> None:
    # PS-29
    session = await issued(house)
    house.clock.turn(days=14, seconds=-1)
    await do(house, resend, session)
    house.clock.turn(seconds=1)
    with pytest.raises(SessionEnded) as caught:
        await do(house, revoke, session, "why")
    assert caught.value.end_reason == "bound_reached"
    assert (await house.session(session.id)).status == "issued"


async def test_extending_moves_the_end_and_tells_it_with_new_reminders(house: House) -> None:
    session = await issued(house)
    row = await do(house, extend, session, START + 20 * DAY, "asked for more time")
    assert (row.expires_at, row.deadline_moves) == (START + 20 * DAY, 1)
    (intent,) = await told(house, session)
    assert (intent.signal, intent.payload["move"]) == ("deadline_moved", 1)
    last = (await house.all(AuditRow))[-1]
    assert last.reason == "asked for more time"
    assert last.details["before"] == (START + 14 * DAY).isoformat()
    house.clock.turn(days=19)
    await do(house, resend, session)


@pytest.mark.parametrize("to", [START + 14 * DAY, START + 3 * DAY, START + 367 * DAY])
async def test_an_extension_is_later_and_not_too_far(house: House, to: Any) -> None:
    session = await issued(house)
    with pytest.raises(ExtensionRefused):
        await do(house, extend, session, to, "why")
    assert (await house.session(session.id)).expires_at == START + 14 * DAY


async def test_an_extension_adds_no_reminders_beyond_the_most(house: House) -> None:
    session = await issued(house)
    async with house.transactions.work() as work:
        row = await work.db.get_one(PublicSessionRow, session.id)
        row.reminders = [3, 2, 1]
    house.clock.turn(days=11)
    for _ in range(2):
        async with house.transactions.work() as work:
            assert await remind(work, session.id, work.at)
        house.clock.turn(days=1)
    await do(house, extend, session, START + 30 * DAY, "why")
    (intent,) = await told(house, session)
    assert intent.payload["reminders"] == [(START + 29 * DAY).isoformat()]


async def test_resending_mails_the_same_link_again_within_limits(house: House) -> None:
    # C14
    session = await issued(house)
    link = await house.link(session.id)
    with pytest.raises(MailTooSoon) as caught:
        await do(house, resend, session)
    assert caught.value.next_at == START + timedelta(minutes=1)
    house.clock.turn(minutes=1)
    row = await do(house, resend, session)
    first, second = await house.mails(session.id, "invitation")
    assert (row.mail_id, row.mail_state) == (second.id, "queued")
    assert first.id != second.id
    assert await house.link(session.id) == link
    assert (await house.audit(session.id))[-1] == "resent"


async def test_nobody_is_flooded_by_resending(house: House) -> None:
    session = await issued(house)
    for _ in range(4):
        house.clock.turn(minutes=1)
        await do(house, resend, session)
    house.clock.turn(minutes=1)
    with pytest.raises(MailTooSoon):
        await do(house, resend, session)
    assert len(await house.mails(session.id)) == 5


async def test_a_party_without_address_is_not_mailed_again(house: House) -> None:
    # PS-37
    session = await issued(house, email="")
    with pytest.raises(NoContactAddress):
        await do(house, resend, session)


async def test_reissuing_an_open_session_ends_it_and_keeps_the_rationale(house: House) -> None:
    # PS-34
    session = await issued(house)
    visitor = await house.enter(session.id)
    new = (await do(house, reissue, session, "lost the link")).session
    old = await house.session(session.id)
    assert (old.status, old.end_reason) == ("revoked", "reissued")
    assert (new.reissued_from, new.rationale, new.status) == (
        session.id,
        "lost the link",
        "issued",
    )
    assert (await told(house, session))[-1].payload["reissued"] is True
    with pytest.raises(SessionEnded):
        await may_act(house, visitor)


async def test_reissuing_an_expired_session(house: House) -> None:
    # PS-14, PS-34
    session = await issued(house)
    house.clock.turn(days=15)
    async with house.transactions.work() as work:
        await check_bound(work, session.id)
    new = (await do(house, reissue, session, "asked again")).session
    assert new.expires_at == house.clock.now + 14 * DAY
    assert (await house.session(session.id)).end_reason == "bound_reached"
    assert (await house.audit(session.id))[-1] == "reissued"


async def test_reissuing_twice_answers_with_the_same_session(house: House) -> None:
    # PS-36
    session = await issued(house)
    first = await do(house, reissue, session, "one")
    second = await do(house, reissue, session, "two")
    assert first.session.id == second.session.id
    assert len(second.tasks) == 2
    assert len(await house.all(PublicSessionRow)) == 2


async def test_a_completed_session_is_not_reissued(house: House) -> None:
    session = await issued(house)
    await complete_all(house, session)
    with pytest.raises(ReissueRefused):
        await do(house, reissue, session, "why")


async def test_a_corrected_address_kills_link_code_and_binding_and_mails_again(
    house: House,
) -> None:
    # C14
    session = await issued(house)
    visitor = await house.enter(session.id)
    old_link, code = await house.link(session.id), await house.fresh_code(session.id)
    await do(house, correct_address, session, "new@vendor.example")
    with pytest.raises(NotFound):
        await may_act(house, visitor)
    async with house.transactions.work() as work:
        with pytest.raises(NotFound):
            await open_door(work, old_link)
    with pytest.raises(CodeSpent):
        await verify(house.transactions, Verify(await house.link(session.id), "door-2", code))
    invitations = await house.mails(session.id, "invitation")
    assert len(invitations) == 2
    assert invitations[0].recipient_digest != invitations[1].recipient_digest
    assert (await house.audit(session.id))[-1] == "link_renewed"
    details = " ".join(str(each.details) for each in await house.all(AuditRow))
    assert "new@vendor.example" not in details


async def test_the_same_address_again_changes_nothing(house: House) -> None:
    session = await issued(house)
    link = await house.link(session.id)
    await do(house, correct_address, session, house.address)
    assert await house.link(session.id) == link
    assert len(await house.mails(session.id)) == 1


async def test_what_is_no_address_corrects_nothing(house: House) -> None:
    session = await issued(house)
    with pytest.raises(PartyInvalid):
        await do(house, correct_address, session, "not an address")


async def test_the_bound_is_checked_by_the_row(house: House) -> None:
    # PS-29: an extended session is left alone, an ended one keeps its reason
    session = await issued(house)
    house.clock.turn(days=14, seconds=-1)
    async with house.transactions.work() as work:
        checked = await check_bound(work, session.id)
    assert (checked.end_reason, checked.expires_at) == (None, START + 14 * DAY)
    house.clock.turn(seconds=1)
    for _ in range(2):
        async with house.transactions.work() as work:
            assert (await check_bound(work, session.id)).end_reason == "bound_reached"
    assert await house.audit(session.id) == ["issued", "expired"]
    assert (await house.session(session.id)).status == "expired"


async def test_a_reminder_is_asked_for_once_a_slot_and_never_after_the_end(house: House) -> None:
    session = await issued(house)
    slot = START + 11 * DAY
    house.clock.turn(days=11)
    for expected in (True, False):
        async with house.transactions.work() as work:
            assert await remind(work, session.id, slot) is expected
    assert len(await house.mails(session.id, "reminder")) == 1
    house.clock.turn(days=3)
    async with house.transactions.work() as work:
        assert not await remind(work, session.id, START + 13 * DAY)


async def test_a_party_without_address_is_not_reminded(house: House) -> None:
    session = await issued(house, email="")
    async with house.transactions.work() as work:
        assert not await remind(work, session.id, work.at)


async def test_idleness_ends_the_browsers_place_when_its_time_has_come(house: House) -> None:
    # C18
    session = await issued(house)
    async with house.transactions.work() as work:
        assert (await check_idle(work, session.id)).idle_at is None
    visitor = await house.enter(session.id)
    house.clock.turn(minutes=20)
    await may_act(house, visitor)
    house.clock.turn(minutes=12)
    async with house.transactions.work() as work:
        checked = await check_idle(work, session.id)
    assert (checked.fence, checked.idle_at) == (1, START + timedelta(minutes=51))
    house.clock.turn(minutes=19)
    with pytest.raises(BindingLost) as caught:
        await may_act(house, visitor)
    assert caught.value.reason == "inactive"
    async with house.transactions.work() as work:
        assert (await check_idle(work, session.id)).idle_at is None
    assert (await house.audit(session.id))[-1] == "idled_out"


async def test_an_operators_signal_becomes_a_fact_once(house: House) -> None:
    session = await issued(house)
    for _ in range(2):
        async with house.transactions.work() as work:
            await carry_revocation(work, session.id, OPERATOR)
    row = await house.session(session.id)
    assert (row.end_reason, row.rationale != "") == (EndReason.REVOKED, True)
    assert (await house.audit(session.id)).count("revoked") == 1


async def test_an_operators_signal_does_not_undo_another_end(house: House) -> None:
    session = await issued(house)
    await complete_all(house, session)
    async with house.transactions.work() as work:
        await carry_revocation(work, session.id, OPERATOR)
    assert (await house.session(session.id)).end_reason == "completed"


async def test_declining_keeps_the_reason_and_ends_it(house: House) -> None:
    session = await issued(house)
    visitor = await house.enter(session.id)
    async with house.transactions.work() as work:
        await decline_room(work, visitor, "We no longer sell this.")
    row = await house.session(session.id)
    assert (row.status, row.decline_reason) == ("declined", "We no longer sell this.")
    assert (await told(house, session))[-1].signal == "declined"
    with pytest.raises(SessionEnded):
        await may_act(house, visitor)


async def test_quitting_ends_the_browsers_place_and_keeps_what_was_done(house: House) -> None:
    # SX-9
    session = await issued(house)
    visitor = await house.enter(session.id)
    await house.complete(visitor, "profile")
    for _ in range(2):
        async with house.transactions.work() as work:
            await quit_room(work, visitor)
    with pytest.raises(BindingLost) as caught:
        await may_act(house, visitor)
    assert caught.value.reason == "quit"
    assert (await house.audit(session.id)).count("left") == 1
    again = await house.enter(session.id)
    await house.complete(again, "terms")
    assert (await house.session(session.id)).status == "completed"
