"""The play from beginning to end, with what goes wrong in it on purpose."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from temporalio.client import Client

from domain.workflow_names import public_session_id
from tests.e2e import canary_acts as acts
from tests.e2e.caller import Caller
from tests.e2e.canary import Found, Search
from tests.e2e.canary_play import Play
from tests.e2e.house import House, Office, until

SENT_BEFORE_CUT = 3 * 2**20
"""Bytes; three times what a framework would keep in memory before it writes to the disk."""


async def perform(play: Play) -> None:
    """Everything."""
    await acts.make_token(play)
    await acts.tell_of_parties(play)
    await acts.send_nonsense(play)
    await acts.decide_on_sessions(play)
    await _main_session(play)
    await acts.decline(play)
    await acts.bounce(play)
    await _failing_request(play)
    await _erase(play)


async def _main_session(play: Play) -> None:
    """All tasks of one session; its last step meets a database that refuses."""
    session = await play.issue("vera", "main")
    async with Caller(play.office.house.url) as caller:
        await play.come_in(caller, session)
        for answers in (play.refused_answers(), play.answers()):
            answer = await caller.complete(session, "details", answers)
            assert answer.status_code == (303 if "line" in answers else 422), answer.text
        assert (await caller.complete(session, "rules", {"agreed": "yes"})).status_code == 303
        await acts.send_files(play, caller)
        await _cut_upload(play, caller)
        assert (await caller.get(f"/sessions/{session}/tasks/papers")).status_code == 200
        assert (await caller.complete(session, "papers", {"_": ""})).status_code == 303
        async with _refusing(play.office, "party", "state <> 'known'"):
            assert (await caller.complete(session, "right", {"agreed": "yes"})).status_code == 303
            await until(lambda: _has_failed(play.office, session), "an activity has failed")
        for what in ("", "/receipt", "/receipt.pdf"):
            assert (await caller.get(f"/sessions/{session}{what}")).status_code == 200, what
    await _read_everything(play, session)


async def _cut_upload(play: Play, caller: Caller) -> None:
    """A connection that breaks in the midst; what is open meanwhile is looked into, too."""
    search = Search(play.canaries.needles)
    line = play.canaries.word("half a table").encode()

    async def half() -> AsyncIterator[bytes]:
        for _ in range(SENT_BEFORE_CUT // 2**16):
            yield (line + b",1\n").ljust(2**16, b"x")
        await asyncio.sleep(0.5)
        assert list(_in_open_files(play.office.house, search)) == []
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await play.send(caller, f"{play.canaries.word('name of half a table')}.csv", half())


def _in_open_files(house: House, search: Search) -> Iterator[Found]:
    """What our programs have open, files without a name among it."""
    for child in house.children.values():
        opened = [each for each in Path(f"/proc/{child.pid}/fd").glob("*") if each.is_file()]
        assert opened
        for each in opened:
            yield from search.in_bytes(each.read_bytes(), f"{child.pid}: {each.readlink()}")


@asynccontextmanager
async def _refusing(office: Office, table: str, rule: str) -> AsyncIterator[None]:
    """PostgreSQL refuses rows of a table, and says so with everything that is in them."""
    await office.sql(f"ALTER TABLE {table} ADD CONSTRAINT refusing CHECK ({rule}) NOT VALID")
    try:
        yield
    finally:
        await office.sql(f"ALTER TABLE {table} DROP CONSTRAINT refusing")


async def _has_failed(office: Office, session: UUID) -> bool:
    """Whether an activity of a session's workflow is being tried again."""
    settings = office.house.settings
    client = await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace)
    described = await client.get_workflow_handle(public_session_id(session)).describe()
    return any(each.attempt > 1 for each in described.raw_description.pending_activities)


async def _failing_request(play: Play) -> None:
    """A request that ends in an error nobody foresaw."""
    async with _refusing(play.office, "party", "locale <> 'tlh'"):
        with pytest.raises(AssertionError, match="500"):
            await play.create_party("klingon", locale="tlh")


async def _read_everything(play: Play, session: UUID) -> None:
    """Members read what was captured, all of it."""
    for what in ("", "/submissions", "/audit", "/mails", "/uploads", "/receipt"):
        await play.call("GET", f"public-sessions/{session}{what}")
    client = play.office.client
    for each in (await play.call("GET", f"public-sessions/{session}/uploads"))["items"]:
        path = f"/api/v1/public-sessions/{session}/uploads/{each['id']}/content"
        assert (await client.get(path)).status_code == 200
    exported = await client.get(f"/api/v1/parties/{play.parties['vera']}/export")
    assert exported.status_code == 200
    assert exported.content[:2] == b"PK"


async def _erase(play: Play) -> None:
    """Erased: a session, then its party."""
    rationale = play.canaries.word("rationale of erasing a session")
    await play.act("declined", "erase", rationale=rationale, confirm="erase")
    rationale = play.canaries.word("rationale of erasing a party")
    path = f"parties/{play.parties['emil']}/erase"
    await play.call("POST", path, {"rationale": rationale, "confirm": "erase"})


async def settle(play: Play) -> None:
    """Waits until nothing is under way, then has PostgreSQL write everything into its files."""

    async def is_quiet() -> bool:
        [[left]] = await play.office.sql(
            "SELECT (SELECT count(*) FROM intent WHERE done_at IS NULL)"
            " + (SELECT count(*) FROM mail WHERE state = 'queued')"
            " + (SELECT count(*) FROM audit WHERE position IS NULL)"
            " + (SELECT count(*) FROM public_session"
            "    WHERE ended_at IS NOT NULL AND settled_at IS NULL AND erased_at IS NULL)"
        )
        return bool(left == 0)

    await until(is_quiet, "everything is delivered, mailed and settled", 60)
    for statement in ("ANALYZE", "CHECKPOINT"):
        with play.office.house.postgres.connect("gatepass") as connection:
            connection.execute(statement)
