"""The sequencer: every committed event gets one place, and heads are signed over them (N10)."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from structlog.testing import capture_logs

from adapters.aead import Undecipherable
from adapters.checkpoint import Signer, read_checkpoint
from commands.audit_tree import (
    MOST_EVENTS,
    AuditSequencer,
    Extended,
    TreeBroken,
    catch_up,
    extend_tree,
    origin_of,
    verifier_key,
)
from commands.work import Transactions
from commands.workspace import CreateWorkspace, create_workspace
from domain.audit import AuditEvent
from domain.audit_tree import consistency_places, consistency_proof, verify_consistency
from store import database
from store.audit import AuditRow
from store.audit_tree import AuditSignerRow, nodes_at
from store.columns import new_id
from store.never_clear import FoundInClear
from tests.rooms.audit_log import SOMEBODY, assert_whole, heads, key_of, numbered, write
from tests.rooms.house import KEYRING, DiesAfterCommit, House, bare_house
from tests.rooms.works import eventually

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A workspace of its own database: a sequencer works for all that there are."""
    async with bare_house(database_url) as house:
        yield house


async def extend(house: House) -> Extended:
    async with house.transactions.work() as work:
        return await extend_tree(work, house.workspace_id)


async def sizes(house: House) -> list[int]:
    return [each.size for each in await heads(house)]


async def test_committed_events_get_places_in_the_order_of_their_ids(house: House) -> None:
    await write(house, 5)
    assert (await extend(house)).events == 6  # with the workspace's creation
    rows = await numbered(house)
    assert [each.id for each in rows] == sorted(each.id for each in rows)
    assert await assert_whole(house) == 6


async def test_a_log_is_signed_from_its_first_event_on_by_a_key_of_its_own(house: House) -> None:
    await extend(house)
    key = await key_of(house)
    (head,) = await heads(house)
    assert (head.origin, head.size) == (f"gatepass/{house.workspace_id}", 1)
    assert read_checkpoint(head.note, key).root == head.root
    async with house.transactions.work() as work:
        other = await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
        assert await verifier_key(work, other.id) != key
    assert origin_of(other.id) != head.origin


async def test_a_key_that_was_asked_for_first_is_the_one_that_signs(house: House) -> None:
    keys = await asyncio.gather(*(key_of(house) for _ in range(5)))
    assert len(set(keys)) == 1
    await extend(house)
    assert len(await heads(house)) == 1  # read with that key


async def test_a_head_is_signed_within_a_minute_of_an_event(house: House) -> None:
    sequencer = AuditSequencer(house.transactions)
    await sequencer.round()
    house.clock.turn(seconds=20)
    await write(house)
    await sequencer.round()
    assert await sizes(house) == [1], "signed a while ago"
    house.clock.turn(seconds=39)
    await sequencer.round()
    assert await sizes(house) == [1]
    house.clock.turn(seconds=1)
    await sequencer.round()
    assert await sizes(house) == [1, 2]
    house.clock.turn(hours=1)
    await sequencer.round()
    assert await sizes(house) == [1, 2], "nothing new, nothing to sign"
    await write(house)
    await sequencer.round()
    assert await sizes(house) == [1, 2, 3], "the last head is old: at once"


async def test_a_head_is_signed_at_each_completion_and_each_hundred_events(house: House) -> None:
    sequencer = AuditSequencer(house.transactions)
    await sequencer.round()
    await write(house, 98)
    await sequencer.round()
    assert await sizes(house) == [1]
    await write(house, event=AuditEvent.SESSION_COMPLETED)
    await sequencer.round()
    assert await sizes(house) == [1, 100]
    await write(house, 100)
    await sequencer.round()
    assert await sizes(house) == [1, 100, 200]


async def test_a_late_commit_gets_a_later_place(house: House) -> None:
    """An event's id is older than those that were committed and numbered before it."""
    async with house.transactions.work() as late:
        late.audit_subject(AuditEvent.FORM_SAVED, house.workspace_id, "late", SOMEBODY)
        await late.db.flush()
        await write(house, 3)
        assert (await extend(house)).events == 4
    assert (await extend(house)).events == 1
    rows = await numbered(house)
    assert rows[-1].subject == "late"
    assert rows[-1].id < rows[-2].id
    await assert_whole(house)


async def test_a_numbering_that_is_rolled_back_leaves_nothing(house: House) -> None:
    await write(house, 10)
    with suppress(ZeroDivisionError):
        async with house.transactions.work() as work:
            assert (await extend_tree(work, house.workspace_id)).events == 11
            1 / 0  # noqa: B018 - the error is what it is for
    assert await numbered(house) == []
    assert await extend(house) == Extended(11, signed=True)
    await assert_whole(house)


async def test_one_process_extends_a_tree_at_a_time(house: House) -> None:
    await write(house, 3)
    async with house.transactions.work() as work:
        await extend_tree(work, house.workspace_id)
        assert await extend(house) == Extended(0, signed=False)
    assert await assert_whole(house) == 4


def second(house: House, url: str) -> Transactions:
    """Another process's connections."""
    settings = house.transactions.settings
    return Transactions(
        database.connect(settings), settings, KEYRING, DiesAfterCommit(), house.clock
    )


async def busy(house: House, who: int, events: int) -> None:
    """Somebody whose transactions take their time, some of them in vain."""
    chance = random.Random(who)
    for number in range(events):
        with suppress(ZeroDivisionError):
            async with house.transactions.work() as work:
                done = chance.random() < 0.1
                event = AuditEvent.SESSION_COMPLETED if done else AuditEvent.FORM_SAVED
                work.audit_subject(event, house.workspace_id, f"{who}:{number}", SOMEBODY)
                await work.db.flush()
                await asyncio.sleep(chance.random() / 100)
                if chance.random() < 0.1:
                    1 / 0  # noqa: B018 - rolled back


async def test_two_sequencers_and_twenty_writers_make_one_tree(
    house: House, database_url: str
) -> None:
    other = second(house, database_url)
    stop = asyncio.Event()
    loops = [
        asyncio.create_task(rounds(AuditSequencer(each), stop))
        for each in (house.transactions, other)
    ]
    await asyncio.gather(*(busy(house, who, 25) for who in range(20)))
    stop.set()
    assert min(await asyncio.gather(*loops)) > 0, "both had their turns"
    await AuditSequencer(other).round()
    async with house.transactions.work() as work:
        written = len((await work.db.scalars(select(AuditRow.id))).all())
    assert await assert_whole(house) == written > 400
    await assert_each_head_extends_the_one_before(house)
    await other._engine.dispose()


async def rounds(sequencer: AuditSequencer, stop: asyncio.Event) -> int:
    """Round after round without a pause; how many events it numbered."""
    events = 0
    while not stop.is_set():
        events += await sequencer.round()
        await asyncio.sleep(0)
    return events


async def assert_each_head_extends_the_one_before(house: House) -> None:
    """By consistency proofs, made of the nodes that were stored."""
    found = await heads(house)
    assert len(found) > 5
    async with house.transactions.work() as work:
        for old, new in pairwise(found):
            places = consistency_places(old.size, new.size)
            node = await nodes_at(work.db, house.workspace_id, places)
            proof = consistency_proof(old.size, new.size, node)
            assert verify_consistency(old.size, old.root, new.size, new.root, proof)
            assert not verify_consistency(old.size, new.root, new.size, old.root, proof)


async def test_a_sequencer_whose_connection_dies_in_the_middle_makes_the_same_tree(
    house: House, database_url: str
) -> None:
    other, stop = second(house, database_url), asyncio.Event()
    loop = asyncio.create_task(AuditSequencer(other).number_until_stopped(stop))
    killer = await psycopg.AsyncConnection.connect(
        database_url.replace("+psycopg", ""), autocommit=True
    )
    killed = written = 0
    while killed < 10:
        await write(house, 50, AuditEvent.SESSION_COMPLETED)
        written += 50
        for _ in range(100):
            found = await kill_numbering(killer)
            killed += found
            if found:
                break
    stop.set()
    await asyncio.wait_for(loop, 20)
    await catch_up(house.transactions, house.workspace_id)
    assert await assert_whole(house) == written + 1
    await killer.close()
    await other._engine.dispose()


async def kill_numbering(killer: psycopg.AsyncConnection) -> int:
    """Ends whoever extends a tree at this moment."""
    found = await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )
    return len(await found.fetchall())


@pytest.mark.load
async def test_ten_thousand_events_that_waited_are_numbered_in_seconds(house: House) -> None:
    for _ in range(10):
        await write(house, 1000)
    sequencer, started = AuditSequencer(house.transactions), time.perf_counter()
    while await sequencer.round() >= MOST_EVENTS:
        pass
    took = time.perf_counter() - started
    assert await assert_whole(house) == 10_001
    assert took < 20, f"{took:.1f} s"


async def test_a_log_that_cannot_be_signed_holds_up_no_other(house: House) -> None:
    await extend(house)
    await write(house, 100)
    async with house.transactions.work() as work:
        other = await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
        broken = update(AuditSignerRow).where(
            col(AuditSignerRow.workspace_id) == house.workspace_id
        )
        await work.db.execute(broken.values(sealed=b"\x01" + bytes(60)))
    assert await AuditSequencer(house.transactions).round() == 1
    house.workspace_id = other.id
    assert await assert_whole(house) == 1


CUT = {
    "the tail": "DELETE FROM audit WHERE position >= 150",
    "the last event": "DELETE FROM audit WHERE position = 199",
    "the tail's places": "UPDATE audit SET position = NULL, leaf_hash = NULL WHERE position >= 150",
    "a signed node": "DELETE FROM audit_node WHERE level = 7",
    "a changed node": "UPDATE audit_node SET hash = sha256(hash) WHERE level = 7",
}


@pytest.mark.parametrize("how", CUT)
async def test_a_log_that_lost_what_was_signed_is_not_signed_again(house: House, how: str) -> None:
    """Else the places of what was taken out would be given, and signed over, a second time."""
    await write(house, 199)
    sequencer = AuditSequencer(house.transactions)
    await sequencer.round()
    assert await sizes(house) == [200]
    async with house.transactions.work() as work:
        await work.db.execute(text(CUT[how]))
        other = await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
    left = len(await numbered(house))
    await write(house, 100, AuditEvent.SESSION_COMPLETED)
    with capture_logs() as lines:
        assert await sequencer.round() == 1, "the other workspace's alone"
        await sequencer.round()
        house.clock.turn(minutes=10)
        await sequencer.round()
    told = [each for each in lines if each["event"] == "audit_tree_broken"]
    assert [each["log_level"] for each in told] == ["error", "error"], "not at each round"
    assert (told[0]["workspace"], told[0]["signed"]) == (str(house.workspace_id), 200)
    with pytest.raises(TreeBroken):
        await catch_up(house.transactions, house.workspace_id)
    assert (await sizes(house), len(await numbered(house))) == ([200], left)
    house.workspace_id = other.id
    assert await assert_whole(house) == 1
    assert await sizes(house) == [1]


async def test_a_log_goes_on_when_what_was_taken_out_is_back(house: House) -> None:
    await write(house, 9)
    await extend(house)
    async with house.transactions.work() as work:
        await work.db.execute(text("CREATE TEMP TABLE kept AS SELECT * FROM audit"))
        await work.db.execute(text("DELETE FROM audit WHERE position >= 4"))
        await write(house, 3)
        with pytest.raises(TreeBroken):
            await extend_tree(work, house.workspace_id)
        await work.db.execute(text("INSERT INTO audit SELECT * FROM kept WHERE position >= 4"))
        assert (await extend_tree(work, house.workspace_id)).events == 3
    assert await assert_whole(house) == 13


FORGED = Signer("gatepass/x", bytes(32))


async def forge(house: House, **values: Any) -> None:
    """What somebody can do who writes to the database, its constraints included."""
    async with house.transactions.work() as work:
        await work.db.execute(
            text("ALTER TABLE audit_signer DROP CONSTRAINT ck_audit_signer_never_clear")
        )
        await work.db.execute(update(AuditSignerRow).values(**values))


async def test_nobody_chooses_the_signing_key_in_the_database(house: House) -> None:
    await extend(house)
    forged = replace(FORGED, name=origin_of(house.workspace_id))
    clear = {"unsealed": {"seed": forged.seed.hex()}, "verifier": forged.vkey}
    async with house.transactions.work() as work:
        with pytest.raises(IntegrityError, match="ck_audit_signer_never_clear"):
            await work.db.execute(update(AuditSignerRow).values(sealed=None, **clear))
        await work.db.rollback()
    await forge(house, sealed=None, **clear)
    await write(house, 100)
    with pytest.raises(FoundInClear):
        await extend(house)
    with pytest.raises(FoundInClear):
        await key_of(house)


async def test_a_public_key_that_is_not_the_signers_is_told_to_nobody(house: House) -> None:
    await extend(house)
    await forge(house, verifier=replace(FORGED, name=origin_of(house.workspace_id)).vkey)
    await write(house, 100)
    with pytest.raises(Undecipherable):
        await extend(house)
    with pytest.raises(Undecipherable):
        await key_of(house)


async def test_whoever_needs_the_whole_log_now_has_it_signed_at_once(house: House) -> None:
    await extend(house)
    await write(house, MOST_EVENTS + 5)
    head = await catch_up(house.transactions, house.workspace_id)
    assert head.size == MOST_EVENTS + 6
    again = await catch_up(house.transactions, house.workspace_id)
    assert (again.size, again.note) == (head.size, head.note)
    await assert_whole(house)


async def has_places(house: House, count: int) -> bool:
    return len(await numbered(house)) == count


async def test_the_loop_ends_when_it_is_told_to(house: House) -> None:
    await write(house, 3)
    stop = asyncio.Event()
    loop = asyncio.create_task(AuditSequencer(house.transactions).number_until_stopped(stop))
    await eventually(partial(has_places, house, 4))
    started = time.monotonic()
    stop.set()
    await loop
    assert time.monotonic() - started < 0.4


def test_an_origin_names_the_workspace() -> None:
    workspace: UUID = new_id()
    assert origin_of(workspace) == f"gatepass/{workspace}"
