"""Sealed rows on a real database: nothing lies in clear, nothing can be moved (PS-28)."""

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import inspect, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from adapters.aead import Undecipherable
from adapters.embedded.postgres import Postgres
from commands.work import Work
from commands.workspace import CreateWorkspace, create_workspace
from store.access import LoginRow
from store.agreement import AgreementRow, AgreementSignerRow, AgreementVersionRow
from store.audit import AuditRow
from store.audit_tree import AuditSignerRow
from store.binding import BindingRow
from store.columns import new_id
from store.editing_session import EditingSessionRow
from store.federation import FederationRow
from store.idempotency import IdempotencyRow
from store.known_device import KnownDeviceRow
from store.mail import MailRow
from store.member import MemberRow
from store.member_session import MemberSessionRow
from store.paper import PaperRow, add_paper
from store.party import PartyRow
from store.passkey import PasskeyRow
from store.provision import ProvisionRow
from store.public_session import PublicSessionRow, SubmissionRow, TaskRow, tasks_of
from store.sealed import SealedRow, _sealed_names, opened
from store.second_factor import SecondFactorRow
from store.signing_certificate import SigningCertificateRow
from store.signing_session import SigningSessionRow
from store.token import TokenRow
from store.trusted_device import TrustedDeviceRow
from store.upload import UploadRow
from tests.rooms.house import House, bare_house, furnish
from tests.rooms.keys import process, root_file, sealed_tables

WORD = "kanarienvogel"
FLIPS = 300
NEVER_CLEAR = {
    AgreementRow,
    AgreementSignerRow,
    AgreementVersionRow,
    AuditSignerRow,
    EditingSessionRow,
    SigningCertificateRow,
    SigningSessionRow,
    UploadRow,
}
"""As old as the keys: no release ever wrote a row of theirs in clear."""


@dataclass(frozen=True, slots=True)
class Written:
    """One sealed row: where it is, and what was written into it."""

    table: type[SealedRow]
    identity: tuple[Any, ...]
    fields: dict[str, Any]


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A furnished workspace in a database of its own."""
    async with bare_house(database_url) as found:
        await furnish(found)
        yield found


def canaries(table: type[SealedRow], row: SealedRow, mark: str) -> dict[str, Any]:
    """A value of its own for each sealed field, of the type that the field has."""
    empty = table()
    found: dict[str, Any] = {}
    for name in sorted(_sealed_names(table)):
        word = f"{WORD}-{mark}-{table.__tablename__}-{name}"
        found[name] = {"said": word} if isinstance(getattr(empty, name), dict) else word
    return found


async def written(house: House, mark: str) -> list[Written]:
    """A row of every table with sealed fields, a canary in each of them."""
    moved = await house.create()
    session = moved.issued[0]
    async with house.transactions.work() as work:
        task = (await tasks_of(work.db, session.id))[0]
        rows = [each async for each in _rows(work, house, moved.party.id, session, task)]
        kinds = {type(each) for each in rows} | {AuditSignerRow}
        assert kinds == set(sealed_tables()), "each table has a row here"
        found: list[Written] = []
        for row in rows:
            fields = canaries(type(row), row, f"{mark}-{len(found)}")
            for name, value in fields.items():
                setattr(row, name, value)
            work.db.add(row)
            await work.db.flush()
            found.append(Written(type(row), inspect(row).identity, fields))
    return found


async def _rows(
    work: Work, house: House, party_id: UUID, session: PublicSessionRow, task: TaskRow
) -> AsyncIterator[SealedRow]:
    """Rows to write canaries into: those there are, and those that only now are made."""
    found = select(PartyRow).where(PartyRow.id == party_id)
    for party in await opened(work.db, (await work.db.scalars(found)).all()):
        yield party
    issued = select(PublicSessionRow).where(PublicSessionRow.id == session.id)
    for row in await opened(work.db, (await work.db.scalars(issued)).all()):
        yield row
    mails = select(MailRow).where(MailRow.session_id == session.id)
    for mail in await opened(work.db, (await work.db.scalars(mails)).all()):
        yield mail
    place: dict[str, Any] = {"workspace_id": house.workspace_id}
    token = TokenRow(**place, digest=new_id().hex, key_version=1, created_at=work.at)
    yield token
    await work.db.flush()
    yield IdempotencyRow(
        **place, caller_id=token.id, key="k", request_digest="d", created_at=work.at
    )
    yield SubmissionRow(
        **place, session_id=session.id, task_id=task.id, binding_id=new_id(), submitted_at=work.at
    )
    yield BindingRow(
        **place,
        session_id=session.id,
        fence=1,
        door_digest="d",
        digest=new_id().hex,
        key_version=1,
        bound_at=work.at,
        last_seen_at=work.at,
    )
    yield AuditRow(**place, event="x", actor="y", session_id=session.id, at=work.at)
    yield AuditRow(**place, event="x", actor="y", party_id=party_id, at=work.at)
    yield AuditRow(**place, event="x", actor="y", at=work.at)
    if await work.db.get(AuditSignerRow, house.workspace_id) is None:
        yield AuditSignerRow(**place, verifier="v", created_at=work.at)
    yield UploadRow(
        **place,
        client_id=new_id(),
        session_id=session.id,
        task_id=task.id,
        kind="application/pdf",
        size=1,
        object_name=new_id().hex,
        sealed_sha256="00",
        received_at=work.at,
    )
    async for each in _rows_of_an_agreement(work, place, party_id, task):
        yield each
    async for each in _rows_of_a_member(work, place):
        yield each


async def _rows_of_an_agreement(
    work: Work, place: dict[str, Any], party_id: UUID, task: TaskRow
) -> AsyncIterator[SealedRow]:
    """One that a task brought, with a window, and one of a member's own, with another."""
    agreement, paper = await an_agreement(work, place)
    yield agreement
    owned: dict[str, Any] = {**place, "agreement_id": agreement.id}
    owner: dict[str, Any] = {"owner_id": agreement.id, "owner_kind": "agreement"}
    version: dict[str, Any] = {"version": 1, "paper_id": paper.id, "paper_sha256": "", "sha256": ""}
    yield AgreementVersionRow(**owned, **owner, **version, created_by="x", created_at=work.at)
    yield AgreementSignerRow(**owned, **owner, position=1, party_id=party_id)
    heard: dict[str, Any] = {"heard_at": work.at, "active_at": work.at, "opened_at": work.at}
    signing: dict[str, Any] = {"session_id": task.session_id, "task_id": task.id, "position": 1}
    yield SigningSessionRow(**owned, **heard, **signing, seen_version=1)
    member = MemberRow(**place, role="admin", created_at=work.at, updated_at=work.at)
    work.db.add(member)
    await work.db.flush()
    yield EditingSessionRow(**owned, **heard, member_id=member.id, member_session_id=new_id())
    yield SigningCertificateRow(
        **place,
        origin="made",
        subject="Demo",
        fingerprint="",
        not_after=work.at,
        created_by="x",
        created_at=work.at,
        retired_at=work.at,
    )


async def an_agreement(work: Work, place: dict[str, Any]) -> tuple[AgreementRow, PaperRow]:
    agreement = AgreementRow(**place, id=new_id(), digest="d", created_by="x", created_at=work.at)
    paper = await add_paper(work.db, agreement.owner, WORD.encode(), work.at)
    assert paper is not None
    await work.db.flush()
    return agreement, paper


async def _rows_of_a_member(work: Work, place: dict[str, Any]) -> AsyncIterator[SealedRow]:
    member = MemberRow(**place, role="admin", created_at=work.at, updated_at=work.at)
    yield member
    of_member: dict[str, Any] = {**place, "member_id": member.id}
    session = MemberSessionRow(
        **of_member,
        digest=new_id().hex,
        key_version=1,
        mode="password",
        signed_in_at=work.at,
        idle=timedelta(minutes=5),
        grace=timedelta(seconds=15),
    )
    session.touch(work.at)
    yield session
    lasting: dict[str, Any] = {"created_at": work.at, "expires_at": work.at}
    yield SecondFactorRow(**of_member, **lasting, begun_in=session.id)
    yield TrustedDeviceRow(
        **of_member, **lasting, digest=new_id().hex, key_version=1, used_at=work.at
    )
    yield KnownDeviceRow(**of_member, **lasting, digest="", key_version=1, session_id=session.id)
    passkey: dict[str, Any] = {"credential": new_id().hex, "public_key": b"k"}
    yield PasskeyRow(**of_member, **passkey, created_at=work.at)
    yield ProvisionRow(**of_member, updated_at=work.at)
    yield LoginRow(**of_member, mode="password", outcome="signed_in", at=work.at)
    yield LoginRow(**place, mode="password", outcome="failed", at=work.at)
    # A workspace has one at most.
    another = await create_workspace(work, CreateWorkspace(f"another-{new_id().hex}", "Another"))
    yield FederationRow(
        workspace_id=another.id,
        issuer="https://login.example",
        client_id="gatepass",
        match="email",
        changed_at=work.at,
    )
    yield MailRow(
        **of_member,
        kind="member_locked",
        recipient_digest="d",
        cause=f"member_locked:{member.id}",
        created_at=work.at,
    )


async def read(work: Work, where: Written) -> dict[str, Any]:
    """The sealed fields of a row, read anew."""
    columns = inspect(where.table).primary_key
    found = select(where.table).where(
        *(column == value for column, value in zip(columns, where.identity, strict=True))
    )
    row = (await work.db.scalars(found.execution_options(populate_existing=True))).one()
    await opened(work.db, [row])
    return {name: getattr(row, name) for name in where.fields}


async def test_every_sealed_field_of_every_table_is_read_as_it_was_written(
    house: House, database_url: str, tmp_path: Path
) -> None:
    rows = await written(house, "a")
    async with (
        process(database_url, root_file(tmp_path), like=house) as other,
        other.begin.work() as work,
    ):
        for each in rows:
            assert await read(work, each) == each.fields, each.table


async def test_no_canary_shows_in_rows_files_or_wal(
    house: House, database_url: str, postgres_server: Postgres
) -> None:
    rows = await written(house, "b")
    words = [str(value) for each in rows for value in each.fields.values()]
    assert len(words) > 20
    async with house.transactions.work() as work:
        for each in SQLModel.metadata.sorted_tables:
            for (row,) in (await work.db.execute(text(f"SELECT t::text FROM {each.name} t"))).all():
                assert WORD not in row, each.name
                assert WORD.encode().hex() not in row, each.name
        # What must be found if the files are looked at in the right place.
        await work.db.execute(text("CREATE TABLE control (said text)"))
        await work.db.execute(text("INSERT INTO control VALUES ('zaunkoenig')"))
    with postgres_server.connect(database_url.rsplit("/", 1)[1]) as connection:
        connection.execute("CHECKPOINT")
        (oid,) = connection.execute(
            "SELECT oid::text FROM pg_database WHERE datname = current_database()"
        ).fetchone() or ("",)
    cluster = postgres_server.place.cluster
    assert _places_of(b"zaunkoenig", cluster / "base" / str(oid))
    assert _places_of(b"zaunkoenig", cluster / "pg_wal")
    assert not _places_of(WORD.encode(), cluster / "base" / str(oid))
    assert not _places_of(WORD.encode(), cluster / "pg_wal")
    assert not _places_of(WORD.encode(), cluster / "global")


def _places_of(word: bytes, folder: Path) -> list[str]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return [each.name for each in files if word in each.read_bytes()]


async def accepted(house: House, where: Written, record: bytes | None) -> bool:
    """Whether a row opens with another record in its place; the one generic error is none."""
    columns = inspect(where.table).primary_key
    found = update(where.table).where(
        *(column == value for column, value in zip(columns, where.identity, strict=True))
    )
    outcome = "opened"
    async with house.transactions.work() as work:
        await work.db.execute(found.values(sealed=record))
        try:
            await read(work, where)
        except Undecipherable as error:
            # The one generic error: which part did not fit is not told.
            outcome = f"refused {error}"
        await work.db.rollback()
    assert outcome in {"opened", "refused "}
    return outcome == "opened"


async def records_of(house: House, rows: list[Written]) -> list[bytes]:
    found = []
    async with house.transactions.work() as work:
        for each in rows:
            names = " AND ".join(
                f"{column.name} = :p{number}"
                for number, column in enumerate(inspect(each.table).primary_key)
            )
            values = {f"p{number}": value for number, value in enumerate(each.identity)}
            statement = text(f"SELECT sealed FROM {each.table.__tablename__} WHERE {names}")
            found.append(bytes(await work.db.scalar(statement, values)))
    return found


async def test_no_record_opens_in_any_other_place(house: House, database_url: str) -> None:
    """Between rows of one session, tables, sessions of one party, parties and workspaces."""
    rows = await written(house, "c") + await written(house, "d")
    records = await records_of(house, rows)
    tried = 0
    for place, own in zip(rows, records, strict=True):
        for record in records:
            if record != own:
                assert not await accepted(house, place, record)
                tried += 1
    assert tried > 400


async def test_no_record_opens_in_another_workspace(database_url: str, house: House) -> None:
    async with bare_house(database_url) as neighbour:
        await furnish(neighbour)
        mine, theirs = await written(house, "e"), await written(neighbour, "f")
        records = await records_of(neighbour, theirs)
        for place, record in zip(mine, records, strict=True):
            assert place.table is not None
            assert not await accepted(house, place, record)


async def test_no_changed_record_opens(house: House) -> None:
    chance = random.Random(7731)
    rows = await written(house, "g")
    records = await records_of(house, rows)
    for _ in range(FLIPS):
        at = chance.randrange(len(rows))
        assert not await accepted(house, rows[at], _mutant(records[at], chance))


def _mutant(record: bytes, chance: random.Random) -> bytes:
    """A record with a bit flipped, a part cut out, or something appended."""
    changed = bytearray(record)
    place = chance.randrange(len(record))
    match chance.randrange(4):
        case 0:
            return bytes(changed[:place])
        case 1:
            return record + chance.randbytes(1 + place % 7)
        case 2:
            return bytes(changed[:place] + changed[place + 1 :])
        case _:
            changed[place] ^= 1 << chance.randrange(8)
            return bytes(changed)


async def test_clear_contents_in_a_records_place_are_refused(
    house: House, database_url: str, tmp_path: Path
) -> None:
    """As a release without keys wrote them; only that this installation never had one."""
    rows = await written(house, "k")
    never = [each for each in rows if each.table in NEVER_CLEAR]
    for each in never:
        # As old as the keys: the database itself refuses.
        with pytest.raises(IntegrityError, match="never_clear"):
            await plant(house, each)
    rows = [each for each in rows if each not in never]
    for each in rows:
        await plant(house, each)
    async with process(database_url, root_file(tmp_path), like=house) as fresh:
        for each in rows:
            for begin in (house.transactions, fresh.begin):
                with pytest.raises(Undecipherable, match=r"^$"):
                    async with begin.work() as work:
                        await read(work, each)
    (party,) = await house.all(PartyRow)
    with pytest.raises(Undecipherable):
        _ = party.name, "after its transaction"


async def plant(house: House, where: Written) -> None:
    columns = inspect(where.table).primary_key
    found = update(where.table).where(
        *(column == value for column, value in zip(columns, where.identity, strict=True))
    )
    async with house.transactions.work() as work:
        await work.db.execute(found.values(sealed=None, unsealed=where.fields))


MOVES = (
    "UPDATE submission SET session_id = :other WHERE session_id = :mine",
    "UPDATE audit SET session_id = :other WHERE session_id = :mine",
    "UPDATE mail SET session_id = :other WHERE session_id = :mine",
    "UPDATE binding SET session_id = :other, fence = 2 WHERE session_id = :mine",
    "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE subject_id = :other)"
    " WHERE subject_id = :mine",
    "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE subject_id = :other),"
    " number = (SELECT number FROM data_key WHERE subject_id = :other) WHERE subject_id = :mine",
    "UPDATE data_key SET number = number % 4294967295 + 1 WHERE subject_id = :mine",
    "UPDATE data_key SET wrapped = overlay(wrapped PLACING '\\x00' FROM 30)"
    " WHERE subject_id = :mine",
)


@pytest.mark.parametrize("move", MOVES)
async def test_neither_rows_nor_keys_can_be_moved(
    house: House, database_url: str, tmp_path: Path, move: str
) -> None:
    rows, other = await written(house, "h"), await written(house, "i")
    mine, theirs = (_session_of(each) for each in (rows, other))
    async with house.transactions.work() as work:
        await work.db.execute(text(move), {"mine": mine, "other": theirs})
    places = [each for each in rows if each.table in {SubmissionRow, MailRow, AuditRow, BindingRow}]
    async with process(database_url, root_file(tmp_path), like=house) as fresh:
        refused = 0
        for each in places:
            try:
                async with fresh.begin.work() as work:
                    assert await read(work, each) == each.fields
            except Undecipherable:
                refused += 1
    assert refused >= 1


def _session_of(rows: list[Written]) -> UUID:
    return next(UUID(str(each.identity[0])) for each in rows if each.table is PublicSessionRow)


async def test_a_destroyed_key_leaves_rows_that_say_nothing_and_keep_nothing(house: House) -> None:
    rows = await written(house, "j")
    mine = _session_of(rows)
    async with house.transactions.work() as work:
        await work.db.execute(
            text("UPDATE data_key SET wrapped = NULL WHERE subject_id = :mine"), {"mine": mine}
        )
    house.transactions.vault.forget(mine)
    where = next(each for each in rows if each.table is SubmissionRow)
    async with house.transactions.work() as work:
        assert not any((await read(work, where)).values())
        row = await work.db.get_one(SubmissionRow, where.identity[0])
        row.body = {"said": WORD}
    (record,) = [each async for each in _submission(house, where)]
    assert record is None


async def _submission(house: House, where: Written) -> AsyncIterator[bytes | None]:
    async with house.transactions.work() as work:
        yield (await work.db.get_one(SubmissionRow, where.identity[0])).sealed


def _names() -> Iterator[str]:
    for table in sealed_tables():
        yield from (f"{table.__tablename__}.{name}" for name in _sealed_names(table))


def test_what_a_party_hands_over_is_in_sealed_fields() -> None:
    """PS-28 names them: answers, contact data, attributes, rationale texts, file names."""
    assert {
        "submission.body",
        "party.name",
        "party.email",
        "party.attributes",
        "public_session.rationale",
        "public_session.message",
        "upload.name",
        "binding.browser",
    } <= set(_names())
