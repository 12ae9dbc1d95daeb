"""An installation of release 0.1 is upgraded in place, and its rows are sealed while it works.

PS-28: links, codes, cookies and tokens that people have go on working, under each version of the
root key; sealing is stopped and goes on; nothing is left in clear, and there is no way back then.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import text
from sqlmodel import SQLModel, col, select
from structlog.testing import capture_logs

from adapters.aead import Undecipherable
from adapters.embedded.ports import free_port
from adapters.embedded.postgres import Postgres
from adapters.root_key import RootKeyFile
from api.app import create_app
from commands import rotation as rotations
from commands import sealing
from commands.audit_tree import extend_tree
from commands.binding import Verify, verify
from commands.door import session_behind
from commands.mail import link_of
from commands.room import Visitor, enter
from commands.sealing import (
    ClearRowsRefused,
    forget_clear_copies,
    seal_everything,
    seal_old_rows,
)
from domain.settings import Settings
from store import migrate
from store.audit import AuditRow
from store.party import PartyFilter, parties_page
from store.public_session import session_by_id
from store.sealed import opened
from store.unsealed import TABLES, count_unsealed
from tests.rooms.first_release import MARK, Left, leave
from tests.rooms.keys import Process, process, root_file, rotated

TWO = bytes(range(32, 64))


@pytest.fixture(params=[1, 2], ids=["one root key", "two root keys"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> RootKeyFile:
    """A root key as release 0.1 had it, of one version or of two."""
    return root_file(tmp_path) if request.param == 1 else root_file(tmp_path, v2=TWO)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given time to hear: processes of these tests read anew by themselves."""
    monkeypatch.setattr(rotations, "HEARD_AFTER", timedelta(0))
    monkeypatch.setattr(rotations, "READ_EVERY", 0.0)


@pytest.fixture
def left(empty_database_url: str, source: RootKeyFile) -> Left:
    """What release 0.1 left, with this release's tables; nothing is sealed yet."""
    found = leave(empty_database_url, source.read())
    migrate.upgrade(empty_database_url)
    return found


@pytest_asyncio.fixture
async def one(empty_database_url: str, source: RootKeyFile, left: Left) -> AsyncIterator[Process]:
    """A process of this release."""
    async with process(empty_database_url, source, workspace_id=left.workspace) as found:
        yield found


@pytest_asyncio.fixture
async def calls(
    empty_database_url: str, source: RootKeyFile, left: Left, tmp_path: Path
) -> AsyncIterator[AsyncClient]:
    """Somebody who calls the API with a token that release 0.1 made."""
    settings = Settings(
        database_url=empty_database_url,
        root_key_file=str(source.path),
        object_store=str(tmp_path / "objects"),
        temporal_address=f"127.0.0.1:{free_port()}",
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(
            transport=ASGITransport(app=app),
            base_url="http://testserver",
            headers={"authorization": f"Bearer {left.tokens[1]}"},
        ) as client,
    ):
        yield client


async def get(calls: AsyncClient, path: str, **query: Any) -> Any:
    answer = await calls.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def everything(calls: AsyncClient, left: Left) -> dict[str, Any]:
    """What the API tells of all that release 0.1 left."""
    found: dict[str, Any] = {}
    for version, party in left.parties.items():
        found[f"party {version}"] = await get(calls, f"parties/{party}")
        for session in (left.waiting[version], left.bound[version][0], left.done[version]):
            found[f"session {session}"] = await get(calls, f"public-sessions/{session}")
            for part in ("submissions", "audit", "mails"):
                items = (await get(calls, f"public-sessions/{session}/{part}"))["items"]
                # That somebody reads answers is audited too.
                found[f"{part} {session}"] = [
                    each for each in items if "read" not in each.get("event", "")
                ]
    return found


def seen(found: dict[str, Any], left: Left) -> None:
    """Everything is as it was written."""
    for version, party in left.parties.items():
        shown = found[f"party {version}"]
        assert shown["id"] == str(party)
        assert shown["name"] == f"Müller {MARK} {version} GmbH"
        assert shown["email"] == f"Vera.{MARK}{version}@vendor.example"
        assert shown["attributes"] == {
            "company": f"{MARK} {version}",
            "founded": 1999,
            "tags": ["a", "b"],
        }
        done = left.done[version]
        assert found[f"session {done}"]["subject"] == f"Subject {MARK} {version}"
        (captured,) = found[f"submissions {done}"]
        assert f"Captured {MARK}" in str(captured)
        (event,) = found[f"audit {done}"]
        assert event["details"] == {"said": MARK}
        assert event["reason"] == f"Reason {MARK}"
        (mail,) = found[f"mails {done}"]
        assert f"550 no {MARK}" in str(mail)


async def test_everything_reads_as_before_until_it_is_sealed_and_after(
    one: Process, calls: AsyncClient, left: Left
) -> None:
    before = await everything(calls, left)
    seen(before, left)
    await sealed_to_the_end(one)
    assert await everything(calls, left) == before
    for token in left.tokens.values():
        answer = await calls.get("/api/v1/parties", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200


async def sealed_to_the_end(one: Process) -> None:
    async for _ in seal_everything(one.begin):
        pass
    async with one.begin.work() as work:
        assert not any((await count_unsealed(work.db)).values())


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_links_codes_and_cookies_of_before_go_on_working(
    one: Process, left: Left, is_sealed: bool
) -> None:
    if is_sealed:
        await sealed_to_the_end(one)
    for version, session in left.waiting.items():
        async with one.begin.work() as work:
            assert (await session_behind(work, left.links[session])).id == session
            row = await session_by_id(work.db, session)
            assert row is not None
            assert link_of(work, row).endswith(left.links[session])
        bound = await verify(one.begin, Verify(left.links[session], "door-9", left.codes[version]))
        assert bound.session_id == session
        await one.house.complete(Visitor(session, bound.secret), "profile", {"company": "New"})
    for session, secret in left.bound.values():
        visitor = Visitor(session, secret)
        async with one.begin.work() as work:
            assert (await enter(work, visitor)).session.subject.startswith(f"Subject {MARK}")
        room = await one.house.complete(visitor, "profile", {"company": "Kept"})
        assert [each.completed_at is not None for each in room.tasks] == [True, False]


async def test_sealing_is_stopped_anywhere_and_goes_on(
    one: Process, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 1)
    steps, sealed = 0, []
    while True:
        async with one.begin.work() as work:
            sealed.append(sum((await count_unsealed(work.db)).values()))
        if not sealed[-1]:
            break
        async for _ in seal_everything(one.begin):
            steps += 1
            if steps % 3 == 0:
                break
    assert sealed == sorted(sealed, reverse=True)
    assert len(sealed) > 5


async def test_rows_that_somebody_holds_are_sealed_later(
    one: Process, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PAUSE", 0.05)
    async with one.begin.work() as work:
        await session_by_id(work.db, left.waiting[1], lock=True)
        stop = asyncio.Event()
        background = asyncio.create_task(seal_old_rows(one.begin, stop))
        await asyncio.sleep(1)
        assert not background.done()
    await asyncio.wait_for(background, 10)
    async with one.begin.work() as work:
        assert not any((await count_unsealed(work.db)).values())


async def test_two_workers_that_seal_at_once_share_the_work(
    one: Process, left: Left, empty_database_url: str, source: RootKeyFile
) -> None:
    async with process(empty_database_url, source, like=one.house) as two:
        await asyncio.gather(*(sealed_to_the_end(each) for each in (one, two, one, two)))
        async with two.begin.work() as work:
            for table in TABLES:
                found: Any = select(table)
                for row in await opened(work.db, (await work.db.scalars(found)).all()):
                    assert row.sealed


async def test_blind_search_finds_a_party_once_it_is_sealed(
    one: Process, calls: AsyncClient, left: Left
) -> None:
    await sealed_to_the_end(one)
    for q in ("muller", f"MÜLLER {MARK}", f"vera.{MARK}1@VENDOR.example"):
        async with one.begin.work() as work:
            rows, _ = await parties_page(work.db, left.workspace, PartyFilter(q=q), None, 10)
            assert left.parties[1] in {each.id for each in rows}, q
    found = await get(calls, "public-sessions", q=f"subject {MARK} 1")
    assert {each["id"] for each in found["items"]} >= {str(left.waiting[1])}


async def test_audit_rows_of_before_get_their_place_in_the_tree(one: Process, left: Left) -> None:
    await sealed_to_the_end(one)
    async with one.begin.work() as work:
        await extend_tree(work, left.workspace)
    rows = await one.house.all(AuditRow)
    assert all(each.commitment and each.salt for each in rows)
    assert sorted(each.position for each in rows if each.position is not None) == list(
        range(len(rows))
    )


async def test_no_clear_text_is_left_in_rows_or_files(
    one: Process, left: Left, empty_database_url: str, postgres_server: Postgres
) -> None:
    name = empty_database_url.rsplit("/", 1)[1]
    with postgres_server.connect(name) as connection:
        connection.execute("ANALYZE")
        found = connection.execute("SELECT oid::text FROM pg_database WHERE datname = %s", [name])
        (oid,) = found.fetchone() or ("",)
    folder = postgres_server.place.cluster / "base" / str(oid)
    assert _files_with_the_mark(postgres_server, name, folder)
    await sealed_to_the_end(one)
    assert _files_with_the_mark(postgres_server, name, folder), "rows left copies of themselves"
    assert [each.what async for each in forget_clear_copies(one.house.engine, one.begin)]
    assert not _files_with_the_mark(postgres_server, name, folder)
    async with one.begin.work() as work:
        for table in SQLModel.metadata.sorted_tables:
            rows = (await work.db.execute(table.select())).all()
            assert MARK not in str(rows), table.name


def _files_with_the_mark(server: Postgres, name: str, folder: Path) -> list[str]:
    with server.connect(name) as connection:
        connection.execute("CHECKPOINT")
    return [each.name for each in folder.iterdir() if MARK.encode() in each.read_bytes()]


PLANTED = 'UPDATE party SET sealed = NULL, unsealed = \'{"name": "Planted Ltd"}\' WHERE id = :id'
RECORD = "SELECT wrapped, epoch FROM installation_key WHERE kind = 'clear_text'"
PUT_BACK = "UPDATE installation_key SET wrapped = :wrapped WHERE kind = 'clear_text'"


async def run_sql(one: Process, statement: str, **values: Any) -> None:
    async with one.begin.work() as work:
        await work.db.execute(text(statement), values)


async def record_of(one: Process) -> bytes:
    async with one.begin.work() as work:
        return bytes((await work.db.execute(text(RECORD))).one().wrapped)


async def reads_planted(one: Process, left: Left) -> bool:
    """Whether a process that read its keys just now takes a party's name from clear contents."""
    await one.installation.read_again()
    await run_sql(one, PLANTED, id=left.parties[1])
    try:
        return (await one.house.party(left.parties[1])).name == "Planted Ltd"
    except Undecipherable:
        return False


@pytest.mark.parametrize("source", [1], indirect=True)
async def test_what_is_planted_in_clear_is_refused_once_everything_is_sealed(
    one: Process, left: Left, empty_database_url: str, source: RootKeyFile
) -> None:
    assert await reads_planted(one, left), "as an older release wrote it"
    async with process(empty_database_url, source, like=one.house) as two:
        await sealed_to_the_end(two)
        assert not await reads_planted(one, left), "another process has heard of it"
        assert not await reads_planted(two, left)
    with pytest.raises(ClearRowsRefused, match="1 of party"):
        await sealed_to_the_end(one)
    with capture_logs() as logs:
        await asyncio.wait_for(seal_old_rows(one.begin, asyncio.Event()), 5)
    assert [(each["event"], each["rows"]) for each in logs] == [
        ("clear_rows_refused", {"party": 1})
    ]


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("source", [1], indirect=True)
@pytest.mark.parametrize("way", ["none", "another record", "an old copy", "a new start"])
async def test_no_record_of_clear_text_can_be_made_without_the_root_key(
    one: Process, left: Left, empty_database_url: str, source: RootKeyFile, way: str
) -> None:
    old = await record_of(one)
    await sealed_to_the_end(one)
    await rotated(one)
    if way == "none":
        await run_sql(one, "DELETE FROM installation_key WHERE kind = 'clear_text'")
    elif way == "another record":
        keys = "SELECT wrapped FROM installation_key WHERE kind = 'temporal' LIMIT 1"
        await run_sql(one, PUT_BACK.replace(":wrapped", f"({keys})"))
    elif way == "an old copy":
        await run_sql(one, PUT_BACK, wrapped=old)
    else:
        await run_sql(one, PLANTED, id=left.parties[1])
        await run_sql(one, "DELETE FROM installation_key")
    async with process(empty_database_url, source, like=one.house) as two:
        assert not await reads_planted(two, left)
        assert not await reads_planted(one, left)
        assert "epoch" in (await rotated(two))[0], "a record that is not ours is no hindrance"


@pytest.mark.parametrize("source", [1], indirect=True)
@pytest.mark.usefixtures("_quick")
async def test_an_epoch_that_begins_while_rows_are_sealed_changes_nothing(
    one: Process, calls: AsyncClient, left: Left, empty_database_url: str, source: RootKeyFile
) -> None:
    before = await everything(calls, left)
    await rotated(one)
    async with process(empty_database_url, source, like=one.house) as two:
        assert (await two.house.party(left.parties[1])).name.startswith("Müller")
        await sealed_to_the_end(two)
    assert await everything(calls, left) == before


@pytest.mark.parametrize("source", [1], indirect=True)
async def test_a_row_that_is_sealed_while_somebody_reads_it_is_read(
    one: Process, left: Left
) -> None:
    async with one.begin.work() as work:
        row = (await parties_page(work.db, left.workspace, PartyFilter(), None, 10))[0][0]
        await sealed_to_the_end(one)
        await one.installation.read_again()
    assert row.name.startswith("Müller")


async def test_there_is_no_way_back_once_rows_are_sealed(
    one: Process, left: Left, empty_database_url: str
) -> None:
    await sealed_to_the_end(one)
    with pytest.raises(RuntimeError, match="has sealed rows"):
        await asyncio.to_thread(migrate.downgrade, empty_database_url, "0001")
    async with one.begin.work() as work:
        assert (await work.db.scalars(select(col(AuditRow.id)))).first()


def test_until_then_there_is_one(empty_database_url: str, left: Left) -> None:
    migrate.downgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT name, email, attributes FROM party ORDER BY id").fetchone()
        assert row is not None
        assert row[0] == f"Müller {MARK} 1 GmbH"
        assert row[2]["tags"] == ["a", "b"]
        assert connection.execute("SELECT details FROM audit WHERE details ? 'said'").fetchone()
    migrate.upgrade(empty_database_url)
