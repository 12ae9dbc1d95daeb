"""What a public session is issued with counts until its end, whichever level it is from (N16)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from commands.definition import change_template
from commands.door import ask_code
from commands.mail import note_retry
from commands.public_session import check_idle, extend, reissue, resend
from commands.public_session_terms import idle_policy, settings_in, terms_of
from commands.reconcile import restart_session
from commands.room import Visitor, enter_to_act, enter_to_look
from commands.setting_level import levels_of_session, levels_of_template
from commands.work import Work
from domain.code import TO_COME_IN
from domain.errors import BindingLost, MailTooSoon, NotFound
from domain.fault import Fault
from domain.member_errors import SettingRefused
from domain.setting import SettingLevel
from domain.setting_level import Effective, Origin
from domain.settings import BY_NAME
from store.binding import binding_by_id
from store.code import living_codes
from store.gate import Idle, Shut, gates_of
from store.public_session import PublicSessionRow, session_by_id
from tests.rooms.house import ANNA, INTAKE, START, House
from tests.rooms.member_browser import set_here

INSTALLATION, WORKSPACE, TEMPLATE, SESSION = SettingLevel
IDLE, GRACE, LIFE = "binding.idle", "binding.grace", "code.life"
SET = {INSTALLATION: 1000, WORKSPACE: 900, TEMPLATE: 600, SESSION: 300}
SECOND = timedelta(seconds=1)
OPEN = {**INTAKE, "trigger": "manual", "scope": {}}


async def issued_with(
    house: House, template: Mapping[str, Any], own: Mapping[str, Any] | None = None
) -> PublicSessionRow:
    """A session of a template that sets something, maybe with settings of its own."""
    await house.publish("own", OPEN | {"settings": dict(template)})
    party = (await house.create()).party
    return (await house.issue_to(party, "own", settings=own or {})).session


async def present(work: Work, session: PublicSessionRow) -> PublicSessionRow:
    """The session's row in this transaction."""
    row = await session_by_id(work.db, session.id)
    assert row is not None
    return row


@pytest.mark.parametrize("levels", list(product([False, True], repeat=4)))
async def test_the_nearest_level_counts_for_what_is_issued(
    house: House, levels: tuple[bool, ...]
) -> None:
    # N16: golden, over all four levels; the last one that is set counts
    sets = [each for each, is_set in zip(SettingLevel, levels, strict=True) if is_set]
    values = {each: {IDLE: SET[each]} for each in sets}
    if INSTALLATION in sets:
        settings = replace(house.transactions.settings, binding_idle=timedelta(seconds=1000))
        house.transactions.settings = settings
    if WORKSPACE in sets:
        await set_here(house, binding_idle=900)
    session = await issued_with(house, values.get(TEMPLATE, {}), values.get(SESSION, {}))
    value, origin = (SET[sets[-1]], sets[-1].value) if sets else (1800, "default")
    assert session.settings[IDLE] == {"value": value, "origin": origin}
    async with house.transactions.work() as work:
        row = await present(work, session)
        assert settings_in(work, row).binding_idle == timedelta(seconds=value)
        assert terms_of(work, row)[IDLE] == Effective(value, Origin(origin))
        here = await levels_of_session(work, house.workspace_id, session.id)
        assert here.effective(BY_NAME[IDLE]) == Effective(value, Origin(origin))


async def test_what_was_issued_keeps_its_values_whatever_is_set_afterwards(house: House) -> None:
    # SH-20, PS-35: nothing that was stated is lengthened, or shortened, behind a party's back
    session = await issued_with(house, {GRACE: 30}, {LIFE: 120})
    before = (await house.session(session.id)).settings
    await set_here(house, binding_idle=7200, code_life=3600, binding_grace=90)
    async with house.transactions.work() as work:
        settings = {"settings": {GRACE: 500, IDLE: 500}}
        await change_template(work, house.workspace_id, "own", settings, ANNA)
    house.transactions.settings = replace(
        house.transactions.settings, binding_idle=timedelta(hours=3)
    )
    after = await house.session(session.id)
    assert after.settings == before
    async with house.transactions.work() as work:
        found = settings_in(work, after)
    assert (found.binding_idle, found.binding_grace) == (30 * 60 * SECOND, 30 * SECOND)
    assert found.code_life == 120 * SECOND
    # What is issued from now on has today's; the draft issues to nobody yet.
    again = (await house.issue_to(await house.party(session.party_id), "own", "again")).session
    assert again.settings[IDLE] == {"value": 7200, "origin": "workspace"}
    assert again.settings[GRACE] == {"value": 30, "origin": "template"}
    assert again.settings[LIFE] == {"value": 3600, "origin": "workspace"}


async def test_a_template_is_asked_for_what_it_would_issue_now(house: House) -> None:
    # N16
    await issued_with(house, {IDLE: 600})
    await set_here(house, binding_idle=900, code_life=300)
    async with house.transactions.work() as work:
        settings = {"settings": {IDLE: 500}}
        await change_template(work, house.workspace_id, "own", settings, ANNA)
        levels = await levels_of_template(work, house.workspace_id, "own")
        assert levels.effective(BY_NAME[IDLE]) == Effective(600, Origin.TEMPLATE)
        assert levels.inherited(BY_NAME[IDLE]) == 900
        assert levels.effective(BY_NAME[LIFE]) == Effective(300, Origin.WORKSPACE)
        with pytest.raises(NotFound):
            await levels_of_template(work, house.workspace_id, "nothing")
        with pytest.raises(NotFound):
            await levels_of_session(work, house.workspace_id, house.workspace_id)


async def test_a_silent_browser_is_out_to_the_second_by_its_templates_time(house: House) -> None:
    # C18, N16: T-1 and T+1 for a template's idle time and warning, by request, timer and open page
    session = await issued_with(house, {IDLE: 600, GRACE: 25})
    visitor = await house.enter(session.id)
    binding = (await house.session(session.id)).binding_id
    assert binding is not None
    for seconds, is_out in ((599, False), (601, False), (624, False), (625, True), (626, True)):
        async with house.transactions.work() as work:
            work.at = START + seconds * SECOND
            row = await present(work, session)
            told = await gates_of(work.db, [binding], work.at, idle_policy(work.settings))
            expected = Shut("inactive") if is_out else Idle(START + 625 * SECOND)
            assert told.get(binding) == (expected if seconds >= 600 else None)
            assert await is_in(work, visitor) is not is_out
            checked = await check_idle(work, row.id)
            assert checked.idle_at == (None if is_out else START + 625 * SECOND)
            await work.db.rollback()


async def is_in(work: Work, visitor: Visitor) -> bool:
    try:
        await enter_to_look(work, visitor)
    except BindingLost:
        return False
    return True


async def test_idle_times_of_templates_are_kept_to_the_second(house: House) -> None:
    # C18: 200 of 200, a second before and a second after, as the rows say it and as SQL does
    session = await issued_with(house, {})
    visitor = await house.enter(session.id)
    told = []
    for number in range(200):
        lengths = {IDLE: 300 + number, GRACE: 20 + number}
        async with house.transactions.work() as work:
            row = await present(work, session)
            row.settings = {
                each: {"value": value, "origin": "template"} for each, value in lengths.items()
            }
            await work.db.flush()
            for beside in (-SECOND, SECOND):
                work.at = START + sum(lengths.values()) * SECOND + beside
                told.append((await is_in(work, visitor), await is_shut(work, row)))
            await work.db.rollback()
    assert told == [(True, False), (False, True)] * 200


async def is_shut(work: Work, row: PublicSessionRow) -> bool:
    """What an open page of the session's browser is told."""
    assert row.binding_id is not None
    gates = await gates_of(work.db, [row.binding_id], work.at, idle_policy(work.settings))
    return isinstance(gates[row.binding_id], Shut)


async def test_one_poll_keeps_the_times_of_many_sessions_apart(house: House) -> None:
    # N16: a page of each of these in one question
    quick = await issued_with(house, {IDLE: 300, GRACE: 20})
    party = await house.party(quick.party_id)
    slow = (await house.issue_to(party, "own", "slow", settings={IDLE: 7200})).session
    before = (await house.issue_to(party, "own", "before")).session
    async with house.transactions.work() as work:
        # As a release before this left it.
        (await present(work, before)).settings = {}
    bindings = []
    for each in (quick, slow, before):
        await house.enter(each.id)
        bindings.append((await house.session(each.id)).binding_id)
    at = START + timedelta(minutes=31)
    async with house.transactions.work() as work:
        found = await gates_of(
            work.db, [each for each in bindings if each], at, idle_policy(work.settings)
        )
    assert found == {bindings[0]: Shut("inactive"), bindings[2]: Shut("inactive")}


async def test_a_session_of_before_follows_the_installation(house: House) -> None:
    # SH-20: as it was issued, whatever the workspace may set since
    session = await issued_with(house, {})
    await set_here(house, binding_idle=900)
    async with house.transactions.work() as work:
        row = await present(work, session)
        row.settings = {"forgotten.setting": {"value": 1, "origin": "template"}}
        assert settings_in(work, row) == work.settings
        assert terms_of(work, row)[IDLE] == Effective(1800, Origin.DEFAULT)
    house.transactions.settings = replace(house.transactions.settings, binding_idle=400 * SECOND)
    async with house.transactions.work() as work:
        kept = terms_of(work, await present(work, session))[IDLE]
    assert kept == Effective(400, Origin.INSTALLATION)


async def test_codes_live_as_long_as_their_session_says(house: House) -> None:
    # C13, N16: until a second before, not a second after; the mail is given up with the code
    session = await issued_with(house, {LIFE: 120})
    link = await house.link(session.id)
    async with house.transactions.work() as work:
        asked = await ask_code(work, link, "door-1")
    assert asked.code_expires_at == START + 120 * SECOND
    for seconds, living in ((119, 1), (121, 0)):
        async with house.transactions.work() as work:
            at = START + seconds * SECOND
            assert len(await living_codes(work.db, session.id, at, TO_COME_IN)) == living
            mail = (await house.mails(session.id, "code"))[0]
            work.at = at
            assert await note_retry(work, mail.id, "later") == living
            await work.db.rollback()


async def test_mails_are_limited_as_their_session_says(house: House) -> None:
    # C12, C14
    session = await issued_with(
        house, {"code.mail_interval": 600}, {"code.mails_per_hour": 2, "code.mails_per_day": 5}
    )
    link = await house.link(session.id)
    async with house.transactions.work() as work:
        assert (await ask_code(work, link, "door-1")).next_at == START + 600 * SECOND
    house.clock.turn(minutes=10)
    async with house.transactions.work() as work:
        assert (await ask_code(work, link, "door-1")).next_at == START + 3600 * SECOND
    async with house.transactions.work() as work:
        # Two invitations went to the address when the party and this session began.
        work.at = START + 3599 * SECOND
        with pytest.raises(MailTooSoon):
            await resend(work, house.target(session))
        work.at = START + 3601 * SECOND
        await resend(work, house.target(session))


@pytest.mark.parametrize(("most", "left"), [(0, 0), (1, 1), (3, 2)])
async def test_reminders_are_at_most_as_many_as_the_session_says(
    house: House, most: int, left: int
) -> None:
    await house.publish(
        "own",
        OPEN | {"reminders": {"days_before_end": [3, 1]}, "settings": {"template.reminders": most}},
    )
    party = (await house.create()).party
    session = (await house.issue_to(party, "own")).session
    async with house.transactions.work() as work:
        await extend(work, house.target(session), START + timedelta(days=20), "")
    starts = [each.payload for each in await house.intents(session.id) if not each.signal]
    (start,) = [each for each in starts if "reminders" in each]
    (moved,) = [each for each in await house.intents(session.id) if each.signal]
    assert (len(start["reminders"]), len(moved.payload["reminders"])) == (left, left)


async def test_a_workflow_that_is_started_again_hears_the_sessions_own_times(
    house: House,
) -> None:
    session = await issued_with(house, {IDLE: 600, GRACE: 25})
    await house.enter(session.id)
    async with house.transactions.work() as work:
        for each in await house.intents(session.id):
            (await work.db.merge(each)).done_at = work.at
    async with house.transactions.work() as work:
        assert await restart_session(work, session.id)
    told = [each.payload for each in await house.intents(session.id) if each.signal == "take_over"]
    assert [each["idle_at"] for each in told] == [(START + 625 * SECOND).isoformat()] * 2


async def test_a_re_issued_session_keeps_what_was_given_to_it_alone(house: House) -> None:
    # PS-34
    session = await issued_with(house, {GRACE: 30}, {IDLE: 600})
    await set_here(house, code_life=300)
    async with house.transactions.work() as work:
        again = (await reissue(work, house.target(session), "wrong address")).session
    assert again.settings[IDLE] == {"value": 600, "origin": "session"}
    assert again.settings[GRACE] == {"value": 30, "origin": "template"}
    assert again.settings[LIFE] == {"value": 300, "origin": "workspace"}


async def test_a_session_that_may_not_be_so_is_not_issued(house: House) -> None:
    party = (await house.create()).party
    wrong = {IDLE: 299, "token.access": 60, LIFE: None}
    with pytest.raises(SettingRefused) as refused:
        await house.issue_to(party, "intake", settings=wrong)
    assert refused.value.faults == (
        Fault("/settings/binding.idle", "must be from 300 to 43200 seconds"),
        Fault("/settings/token.access", "is not set for one session"),
        Fault("/settings/code.life", "must be a whole number"),
    )


async def test_acting_is_noted_on_the_sessions_own_time(house: House) -> None:
    session = await issued_with(house, {IDLE: 300, GRACE: 20})
    visitor = await house.enter(session.id)
    for _ in range(3):
        house.clock.turn(seconds=319)
        async with house.transactions.work() as work:
            room = await enter_to_act(work, visitor, lock=True)
            assert (await binding_by_id(work.db, room.binding.id)).last_seen_at <= work.at
