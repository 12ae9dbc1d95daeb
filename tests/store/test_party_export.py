"""The archive of everything held about a party: all of it, and nothing of anybody else."""

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from adapters.file_cipher import CLEAR_BYTES
from adapters.objects import ObjectStore
from commands.audit_tree import extend_tree
from commands.erasure import erase_party, erase_session
from commands.party_export import PartyExport, note_export
from commands.party_record import CONTENTS, SEALED, SECRETS, unique_name
from domain.audit import AuditEvent
from domain.audit_leaf import commitment_of
from domain.errors import Erased, NotFound
from store.agreement import AgreementRow, AgreementSignerRow
from store.audit import AuditRow
from store.binding import BindingRow
from store.code import CodeRow
from store.columns import new_id
from store.mail import MailRow
from store.member_session import MemberSessionRow
from store.party import PartyRow, PassageRow
from store.public_session import PublicSessionRow, SubmissionRow, TaskRow
from store.sealed import SealedRow
from store.signing_session import SigningSessionRow
from store.tables import METADATA
from store.upload import UploadRow, UploadState
from store.visit import VisitRow
from tests.rooms.house import ANNA, House
from tests.rooms.kept_files import keep_file
from tests.rooms.traces import CANARY, CONTROL, somebody


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Where files lie."""
    return ObjectStore.at(str(tmp_path / "objects"))


async def archive_of(house: House, objects: ObjectStore, party_id: UUID) -> ZipFile:
    export = PartyExport(house.transactions, objects, house.workspace_id, party_id)
    whole = b"".join([each async for each in export.stream()])
    archive = ZipFile(io.BytesIO(whole))
    assert archive.testzip() is None
    return archive


def everything_in(archive: ZipFile) -> str:
    return "\n".join(archive.read(each).decode() for each in archive.namelist())


def read(archive: ZipFile, path: str) -> Any:
    return json.loads(archive.read(path))


def lines(archive: ZipFile, path: str) -> list[Any]:
    return [json.loads(each) for each in archive.read(path).decode().splitlines()]


async def test_it_has_every_session_and_every_file_and_nobody_elses(
    house: House, objects: ObjectStore
) -> None:
    known, other = [await somebody(house, objects, each) for each in (CANARY, CONTROL)]
    archive = await archive_of(house, objects, known.party.id)
    paths = ["README.txt", "party.json", "audit.jsonl", "missing.json"]
    for each in known.ids:
        paths += [f"sessions/{each}/session.json", f"sessions/{each}/audit.jsonl"]
    file = f"sessions/{known.file.session_id}/files/{CANARY}.pdf"
    assert sorted(archive.namelist()) == sorted([*paths, file])
    assert archive.read(file) == CANARY.encode()
    assert read(archive, "missing.json") == []
    said = everything_in(archive).lower()
    assert CONTROL not in said
    for each in (other.party.id, *other.ids, other.file.id):
        assert str(each) not in said


async def test_it_has_every_word_that_the_party_said(house: House, objects: ObjectStore) -> None:
    known = await somebody(house, objects, CANARY)
    archive = await archive_of(house, objects, known.party.id)
    party = read(archive, "party.json")
    assert (party["name"], party["attributes"]) == (
        f"Vera {CANARY}",
        {"about": CANARY, "company": f"{CANARY} Ltd", "more": CANARY},
    )
    assert [each["target"] for each in party["passages"]] == ["new", "review"]
    completed, declined, revoked, _ = [
        read(archive, f"sessions/{each}/session.json") for each in known.ids
    ]
    assert completed["submissions"][0]["body"] == {"company": f"{CANARY} Ltd"}
    assert completed["submissions"][1]["evidence"]["statement"] == "I have read the terms."
    assert completed["bindings"][0]["browser"] == f"Browser {CANARY}"
    assert completed["visits"][0]["visits"] == 2
    assert completed["uploads"][0]["name"] == f"{CANARY}.pdf"
    assert CANARY in " ".join(each["detail"] for each in completed["mails"])
    assert (declined["subject"], declined["decline_reason"]) == (CANARY, f"No: {CANARY}")
    assert (revoked["rationale"], revoked["message"]) == (f"Because {CANARY}", f"Dear {CANARY}")


async def test_its_events_prove_themselves(house: House, objects: ObjectStore) -> None:
    known = await somebody(house, objects, CANARY)
    async with house.transactions.work() as work:
        await extend_tree(work, house.workspace_id)
    archive = await archive_of(house, objects, known.party.id)
    names = [each for each in archive.namelist() if each.endswith("audit.jsonl")]
    told = [each for name in names for each in lines(archive, name)]
    stored = [each for each in await house.all(AuditRow) if each.party_id == known.party.id]
    assert sorted(each["id"] for each in told) == sorted(str(each.id) for each in stored)
    for each in told:
        assert commitment_of(bytes.fromhex(each["salt"]), each["text"]) == each["commitment"]
        assert len(each["leaf_hash"]) == 64
    changed = next(each for each in told if each["event"] == AuditEvent.PARTY_CHANGED)
    assert CANARY in json.dumps(changed["details"])


def test_every_sealed_field_and_every_column_is_exported_or_left_out_knowingly() -> None:
    held = (
        *(PartyRow, PublicSessionRow, BindingRow, SubmissionRow, MailRow, UploadRow),
        *(AgreementRow, AgreementSignerRow, SigningSessionRow),
    )
    for table in held:
        members = [each for place in table.__mro__ for each in vars(place).items()]
        sealed = {name for name, found in members if _is_sealed(found)}
        assert set(CONTENTS[table]) == sealed
    assert set(CONTENTS) == set(held)
    shown: set[Any] = {*held, PassageRow, TaskRow, CodeRow, VisitRow, AuditRow}
    columns = {name for table in shown for name in table.model_fields}
    assert columns >= SECRETS | SEALED
    # Every table that names a party or a session is read; but members' sessions are not theirs.
    about = {
        table.name
        for table in METADATA.sorted_tables
        if {"party_id", "session_id"} & set(table.columns.keys())
        and "member_id" not in table.columns
        and MemberSessionRow.__tablename__
        not in {each.column.table.name for each in table.foreign_keys}
    }
    assert about <= {str(each.__tablename__) for each in shown}
    assert issubclass(AuditRow, SealedRow)


def _is_sealed(found: object) -> bool:
    return type(found).__name__ == "_SealedProperty"


async def test_no_link_code_or_cookie_can_be_made_of_it(house: House, objects: ObjectStore) -> None:
    known = await somebody(house, objects, CANARY)
    said = everything_in(await archive_of(house, objects, known.party.id))
    async with house.transactions.work() as work:
        digests: list[str] = []
        for column, table in (
            ("link_digest", "public_session"),
            ("digest", "binding"),
            ("door_digest", "binding"),
            ("recipient_digest", "mail"),
            ("object_name", "upload"),
        ):
            found = await work.db.execute(text(f"SELECT {column} FROM {table}"))
            digests += found.scalars().all()
    assert len(digests) > 10
    assert not [each for each in digests if each in said]


async def test_a_file_that_cannot_be_read_is_listed_instead(
    house: House, objects: ObjectStore
) -> None:
    (session,) = (await house.create()).issued
    gone, cut, infected, checking, removed, good = [
        await keep_file(
            house, objects, session.id, b"x" * 3 * CLEAR_BYTES, name=f"{name}.pdf", **more
        )
        for name, more in (
            ("gone", {}),
            ("cut", {}),
            ("infected", {"state": UploadState.INFECTED}),
            ("checking", {"state": UploadState.CHECKING}),
            ("removed", {"removed_at": house.clock()}),
            ("good", {}),
        )
    ]
    await objects.delete(gone.object_name)
    await _damage(objects, cut.object_name)
    archive = await archive_of(house, objects, session.party_id)
    missing = {each["upload"]: each["reason"] for each in read(archive, "missing.json")}
    assert missing == {
        str(gone.id): "unreadable",
        str(cut.id): "incomplete",
        str(infected.id): "infected",
        str(checking.id): "checking",
        str(removed.id): "removed",
    }
    folder = f"sessions/{session.id}/files"
    assert len(archive.read(f"{folder}/good.pdf")) == good.size == 3 * CLEAR_BYTES
    # What was whole of the damaged one is there, and nothing that was changed.
    assert set(archive.read(f"{folder}/cut.pdf")) == {ord("x")}
    assert len(archive.read(f"{folder}/cut.pdf")) < 2 * CLEAR_BYTES


async def _damage(objects: ObjectStore, name: str) -> None:
    """Flips one bit in the second segment."""
    size = await objects.size(name)
    stored = bytearray(await objects.read(name, 0, size))
    stored[2**20 + 100] ^= 1
    await objects.delete(name)

    async def pieces() -> Any:
        yield bytes(stored)

    await objects.write(name, pieces())


async def test_an_erased_session_is_there_without_its_contents(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    async with house.transactions.work() as work:
        await erase_session(work, house.target(known.sessions[0]), "why")
    archive = await archive_of(house, objects, known.party.id)
    session = read(archive, f"sessions/{known.ids[0]}/session.json")
    assert session["erased_at"] is not None
    assert CANARY not in json.dumps(session)
    assert [each["reason"] for each in read(archive, "missing.json")] == ["erased"]


async def test_names_are_unique_and_safe(house: House, objects: ObjectStore) -> None:
    (session,) = (await house.create()).issued
    names = ("a.pdf", "A.pdf", "../../etc/passwd", "C:\\x\\a.pdf", "CON.txt", "…", "a (2).pdf")
    for each in names:
        await keep_file(house, objects, session.id, each.encode(), name=each, client_id=new_id())
    archive = await archive_of(house, objects, session.party_id)
    folder = f"sessions/{session.id}/files/"
    stored = [each.removeprefix(folder) for each in archive.namelist() if folder in each]
    assert len(stored) == len(names)
    assert len({each.casefold() for each in stored}) == len(names)
    assert not [each for each in stored if "/" in each or "\\" in each or each.startswith(".")]
    assert {archive.read(folder + each).decode() for each in stored} == set(names)


def test_numbers_stand_before_the_ending() -> None:
    taken: set[str] = set()
    names = [unique_name(each, taken) for each in ("a.pdf", "a.pdf", "b", "b", "a.PDF")]
    assert names == ["a.pdf", "a (2).pdf", "b", "b (2)", "a (3).PDF"]


async def test_it_is_streamed_in_pieces_without_an_open_transaction(
    house: House, objects: ObjectStore
) -> None:
    (session,) = (await house.create()).issued
    await keep_file(house, objects, session.id, b"x" * 8 * CLEAR_BYTES)
    export = PartyExport(house.transactions, objects, house.workspace_id, session.party_id)
    pieces = []
    async for each in export.stream():
        pieces.append(len(each))
        assert house.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool
    assert max(pieces) < 2 * CLEAR_BYTES
    assert len(pieces) > 12


async def test_a_client_that_leaves_ends_it_quietly(house: House, objects: ObjectStore) -> None:
    (session,) = (await house.create()).issued
    await keep_file(house, objects, session.id, b"x" * 4 * CLEAR_BYTES)
    export = PartyExport(house.transactions, objects, house.workspace_id, session.party_id)
    for after in range(12):
        stream = export.stream()
        for _ in range(after):
            await anext(stream)
        await stream.aclose()
    assert house.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool


async def test_reading_everything_is_written_down(house: House) -> None:
    # PS-25
    party = (await house.create()).party
    async with house.transactions.work() as work:
        await note_export(work, house.workspace_id, party.id, ANNA)
    (row,) = [e for e in await house.all(AuditRow) if e.event == AuditEvent.PARTY_EXPORTED]
    assert (row.party_id, row.actor) == (party.id, str(ANNA))
    with pytest.raises(NotFound):
        async with house.transactions.work() as work:
            await note_export(work, new_id(), party.id, ANNA)


async def test_there_is_nothing_to_export_of_an_erased_party(house: House) -> None:
    party = (await house.create()).party
    async with house.transactions.work() as work:
        await erase_party(work, house.workspace_id, party.id, "why", ANNA)
    with pytest.raises(Erased):
        async with house.transactions.work() as work:
            await note_export(work, house.workspace_id, party.id, ANNA)
