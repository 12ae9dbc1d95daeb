"""Nothing that is typed or sent lies in clear anywhere (PS-28, N11).

Some two hundred texts that occur nowhere else are typed into every field, every name of a file and
every file; then they are searched for in everything that is written anywhere, in many encodings.
What a company publishes itself (its name, forms, documents and templates) is no secret, nor are the
mails that people received.
"""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from adapters.keyring import open_keyring
from adapters.temporal_codec import InstallationCodec
from commands.installation import Installation
from commands.pack import load_pack
from commands.work import utc_now
from tests.e2e.canary import Canaries, Found, Search
from tests.e2e.canary_performance import perform, settle
from tests.e2e.canary_play import Play
from tests.e2e.house import House, open_office, running_house

pytestmark = pytest.mark.timeout(180)

PACK = Path(__file__).parent / "canary_pack"
TRIED = "SELECT t::text FROM {} AS t"
TABLES = """
    SELECT format('%I.%I', schemaname, relname) FROM pg_stat_user_tables
    UNION ALL SELECT 'pg_catalog.pg_statistic'
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own, which writes to the disk as in production, temporary files apart."""
    path = tmp_path_factory.mktemp("canaries")
    temporary = path / "temporary"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TMPDIR", "TEMP", "TMP"):
            patch.setenv(name, str(temporary))
        with running_house(path / "house", durable=True) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def play(house: House) -> AsyncIterator[Play]:
    """Everything has been typed, and everything that follows has happened."""
    async with open_office(house) as office:
        async with office.transactions.work(within=timedelta(minutes=1)) as work:
            await load_pack(work, office.workspace_id, PACK, publish=True)
        play = Play(office, Canaries())
        await perform(play)
        await settle(play)
        yield play


@pytest.fixture(scope="module")
def search(play: Play) -> Search:
    """What is searched for."""
    return Search(play.canaries.needles)


def test_two_hundred_texts_were_typed(play: Play) -> None:
    assert len(play.canaries.minted) >= 200


async def test_they_can_be_read_by_who_may(play: Play) -> None:
    """The play was no play of shadows: what is not found below is there, sealed."""
    session, party = play.sessions["main"], play.parties["vera"]
    shown = [
        await play.call("GET", path)
        for path in (
            f"parties/{party}",
            f"public-sessions/{session}",
            f"public-sessions/{session}/submissions",
            f"public-sessions/{session}/uploads",
            f"public-sessions/{play.sessions['revoked']}",
            f"public-sessions/{play.sessions['bounced']}",
            f"public-sessions/{session}/audit?limit=200",
        )
    ]
    read = [text for text in play.canaries.minted if any(text in str(each) for each in shown)]
    assert len(read) > 60, [play.canaries.minted[each] for each in read]


def test_not_in_the_files_of_postgresql(play: Play, search: Search) -> None:
    """Tables, indexes, statistics, the write-ahead log, and PostgreSQL's own log."""
    house = play.office.house
    cluster = house.postgres.place.cluster
    assert list((cluster / "pg_wal").glob("0*"))
    assert list(search.in_folder(cluster)) == []
    assert list(search.in_folder(house.folder.path / "postgres")) == []


async def test_not_in_any_row(play: Play, search: Search) -> None:
    """As SQL shows it: large values are packed in the files."""
    found: list[Found] = []
    for (table,) in await play.office.sql(TABLES):
        rows = await play.office.sql(TRIED.format(table))
        found.extend(search.in_texts((str(each) for (each,) in rows), table))
    assert found == []


def test_not_in_the_files_of_temporal(play: Play, search: Search) -> None:
    assert list(search.in_folder(play.office.house.folder.path / "temporal")) == []


async def test_not_in_any_history(play: Play, search: Search) -> None:
    """Neither as Temporal gives it to anybody who asks, nor when it is opened with our key."""
    office = play.office
    settings = office.house.settings
    installation = Installation(office.engine, open_keyring(settings), utc_now)
    await installation.open()
    codec = InstallationCodec(installation, settings.temporal_namespace)
    client = await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace)
    found, opened = list[Found](), 0
    async for each in client.list_workflows():
        history = await client.get_workflow_handle(each.id, run_id=each.run_id).fetch_history()
        for event in history.events:
            found.extend(search.in_bytes(event.SerializeToString(), each.id))
            payloads = await codec.decode(list(_payloads_in(event)))
            opened += len(payloads)
            found.extend(
                Found(f"opened: {one.place}", one.form, one.around)
                for one in search.in_bytes(b"\n".join(p.data for p in payloads), each.id)
            )
    assert opened > 20
    assert found == []


def _payloads_in(message: Message) -> Iterator[Payload]:
    """Every payload of a message, however deep."""
    if isinstance(message, Payload):
        yield message
        return
    for described, value in message.ListFields():
        for each in _messages_in(described, value):
            yield from _payloads_in(each)


def _messages_in(described: FieldDescriptor, value: Any) -> list[Message]:
    if described.message_type is None:
        return []
    if isinstance(value, Message):
        return [value]
    return [each for each in _many(value) if isinstance(each, Message)]


def _many(value: Any) -> Any:
    return value.values() if hasattr(value, "values") else value


def test_not_in_the_object_store(play: Play, search: Search) -> None:
    assert list(search.in_folder(play.office.house.folder.objects)) == []


def test_not_in_any_log(play: Play, search: Search) -> None:
    """What went wrong is in the logs, and nothing of what it went wrong with."""
    logs = play.office.house.folder.path / "logs"
    said = b"".join(each.read_bytes() for each in logs.iterdir())
    assert b"CheckViolation" in said
    assert list(search.in_folder(logs)) == []


def test_no_temporary_file_is_written(play: Play) -> None:
    """One without a name would have been found while an upload was under way."""
    temporary = play.office.house.folder.path.parent / "temporary"
    assert list(temporary.rglob("*")) == []


async def test_the_search_finds_what_is_there(play: Play, search: Search, tmp_path: Path) -> None:
    """The control: one text put into a file, a row and a log is found there, in every form."""
    text, office = next(iter(play.canaries.minted)), play.office
    planted = tmp_path / "planted"
    planted.write_bytes(os.urandom(1000) + text.encode("utf-16-le") + os.urandom(1000))
    assert [each.form for each in search.in_file(planted)] == ["utf-16-le"]
    name = (f"planted-{office.name}", f"Planted {text}")
    await office.sql(
        "CREATE TABLE planted AS SELECT :key AS key, convert_to(:name, 'UTF8') AS name",
        key=name[0],
        name=name[1],
    )
    try:
        with office.house.postgres.connect("gatepass") as connection:
            connection.execute("CHECKPOINT")
        in_files = [*search.in_folder(office.house.postgres.place.cluster)]
        rows = await office.sql(TRIED.format("planted"))
        in_rows = [*search.in_texts((str(each) for (each,) in rows), "planted")]
    finally:
        await office.sql("DROP TABLE planted")
    assert {"pg_wal" in each.place for each in in_files} == {True, False}
    assert {each.form for each in in_rows} == {"hex"}
