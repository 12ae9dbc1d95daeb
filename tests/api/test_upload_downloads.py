"""A session's files through the API: listed, downloaded in ranges, found damaged (PS-40)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from api.public_session_uploads import disposition
from domain.settings import Settings
from store.audit import AuditRow
from store.upload import UploadRow, UploadState, upload_by_id
from tests.api.factories import API, UNKNOWN, get
from tests.api.sending import Sending, sending, serving
from tests.rooms.files import MIB, pdf, with_uploads
from tests.rooms.house import Clock, House, bare_house, furnish

CSV = b"number;amount\n" * 200_000


@pytest_asyncio.fixture
async def house(database_url: str, clock: Clock) -> AsyncIterator[House]:
    async with bare_house(database_url, clock=clock) as house:
        await furnish(house, **with_uploads(max_bytes=4 * MIB))
        yield house


@pytest_asyncio.fixture
async def at(app: FastAPI, house: House) -> AsyncIterator[Sending]:
    """A browser that has sent two files and submitted the task."""
    async with sending(app, house) as at:
        await at.send("Bürgschaft „2026“.pdf", pdf(), "insurance")
        await at.send("figures.csv", CSV)
        assert (await at.submit()).status_code == 303
        yield at


@pytest.fixture
def stored(settings: Settings) -> Path:
    return Path(settings.object_store)


async def uploads(client: AsyncClient, at: Sending) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await get(client, f"{path_of(at)}/uploads"))["items"]
    return items


def path_of(at: Sending) -> str:
    return f"/public-sessions/{at.room.rsplit('/', 1)[1]}"


async def content(client: AsyncClient, at: Sending, file: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.get(f"{API}{path_of(at)}/uploads/{file}/content", headers=named)


async def downloads(house: House) -> list[dict[str, Any]]:
    found = [each for each in await house.all(AuditRow) if each.event == "upload.downloaded"]
    return [each.details for each in found]


async def test_files_are_listed_with_their_hashes(client: AsyncClient, at: Sending) -> None:
    first, second = await uploads(client, at)
    assert (first["task"], first["slot"], first["name"]) == (
        "papers",
        "insurance",
        "Bürgschaft „2026“.pdf",
    )
    assert (second["kind"], second["media_type"], second["size"]) == ("csv", "text/csv", len(CSV))
    assert second["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert (second["state"], second["erased"]) == ("ready", False)
    assert second["submitted_at"] is not None
    submitted = (await get(client, f"{path_of(at)}/submissions"))["items"]
    assert [each["id"] for each in submitted[0]["body"]["files"]] == [first["id"], second["id"]]
    assert submitted[0]["body"]["files"][1]["sha256"] == second["sha256"]


async def test_the_list_is_of_what_was_submitted_and_reading_it_is_written_down(
    client: AsyncClient, app: FastAPI, house: House
) -> None:
    # PS-25
    async with sending(app, house) as at:
        await at.send("offer.pdf", pdf(), "insurance")
        await at.send("figures.csv", CSV)
        assert await uploads(client, at) == []
        assert (await at.submit()).status_code == 303
        listed = await uploads(client, at)
    found = [each for each in await house.all(AuditRow) if each.event.endswith("uploads_read")]
    assert [each.details for each in found] == [{"uploads": 0}, {"uploads": 2}]
    assert all(each.actor.startswith("token:") for each in found)
    assert [each["name"] for each in listed] == ["offer.pdf", "figures.csv"]


async def test_a_file_is_downloaded_and_nothing_in_it_can_run(
    client: AsyncClient, at: Sending, house: House
) -> None:
    first, second = await uploads(client, at)
    answer = await content(client, at, second["id"])
    assert answer.status_code == 200
    assert answer.content == CSV
    headers = answer.headers
    assert headers["content-length"] == str(len(CSV))
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"] == "no-store"
    assert headers["etag"] == f'"{second["sha256"]}"'
    pdf_answer = await content(client, at, first["id"])
    assert pdf_answer.content.startswith(b"%PDF-")
    assert pdf_answer.headers["content-type"] == "application/pdf"
    assert "filename*=UTF-8''B%C3%BCrgschaft" in pdf_answer.headers["content-disposition"]
    assert [each["part"] for each in await downloads(house)] == ["whole", "whole"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000000-2100000", 1_000_000, 2_100_001),
        ("bytes=2799990-", 2_799_990, 2_800_000),
        ("bytes=-5", 2_799_995, 2_800_000),
    ],
)
async def test_ranges(
    client: AsyncClient, at: Sending, house: House, asked: str, start: int, end: int
) -> None:
    """RFC 9110, 14"""
    file = (await uploads(client, at))[1]
    answer = await content(client, at, file["id"], range=asked)
    assert answer.status_code == 206
    assert answer.content == CSV[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CSV)}"
    assert [each["part"] for each in await downloads(house)] == [answer.headers["content-range"]]


async def test_ranges_of_what_the_caller_has_and_of_nothing(
    client: AsyncClient, at: Sending, house: House
) -> None:
    file = (await uploads(client, at))[1]
    tag = f'"{file["sha256"]}"'
    same = await content(client, at, file["id"], range="bytes=0-9", if_range=tag)
    assert (same.status_code, same.content) == (206, CSV[:10])
    other = await content(client, at, file["id"], range="bytes=0-9", if_range='"x"')
    assert (other.status_code, len(other.content)) == (200, len(CSV))
    several = await content(client, at, file["id"], range="bytes=0-1,4-5")
    assert several.status_code == 200
    none = await content(client, at, file["id"], range="bytes=2800000-")
    assert none.status_code == 416
    assert none.headers["content-range"] == f"bytes */{len(CSV)}"
    assert none.json()["type"] == "/problems/range-refused"
    assert len(await downloads(house)) == 3


async def test_other_workspaces_see_what_does_not_exist(
    client: AsyncClient, stranger: AsyncClient, anonymous: AsyncClient, at: Sending, house: House
) -> None:
    file = (await uploads(client, at))[0]["id"]
    missing = await content(client, at, UNKNOWN)
    foreign = await content(stranger, at, file)
    assert (foreign.status_code, foreign.json()) == (404, missing.json())
    assert (await content(client, at, "x")).json() == missing.json()
    assert (await content(anonymous, at, file)).status_code == 401
    assert (await stranger.get(f"{API}{path_of(at)}/uploads")).status_code == 404
    assert await downloads(house) == []


async def test_another_sessions_file_is_not_of_this_one(
    client: AsyncClient, app: FastAPI, at: Sending, house: House
) -> None:
    file = (await uploads(client, at))[0]["id"]
    async with sending(app, house) as other:
        assert (await content(client, other, file)).status_code == 404


async def test_files_that_are_not_given_out(
    client: AsyncClient, app: FastAPI, at: Sending, house: House, clock: Clock
) -> None:
    file = (await uploads(client, at))[0]["id"]
    for state in (UploadState.CHECKING, UploadState.INFECTED):
        await change(house, file, state=state)
        answer = await content(client, at, file)
        assert (answer.status_code, answer.json()["state"]) == (409, state)
    await change(house, file, state=UploadState.READY, removed_at=clock.now)
    answer = await content(client, at, file)
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/erased")
    assert [each["erased"] for each in await uploads(client, at)] == [True, False]
    async with sending(app, house) as other:
        sent = (await other.send("a.csv", b"a;b\n")).json()["id"]
        answer = await content(client, other, sent)
        assert (answer.status_code, answer.json()["state"]) == (409, "open")
        await other.remove(sent)
        assert (await content(client, other, sent)).status_code == 404
        assert await uploads(client, other) == []
    assert await downloads(house) == []


async def change(house: House, file: str, **values: Any) -> None:
    async with house.transactions.work() as work:
        row = await upload_by_id(work.db, UUID(file))
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)


async def object_of(house: House, stored: Path, file: str) -> Path:
    [row] = [each for each in await house.all(UploadRow) if str(each.id) == file]
    return stored / row.object_name


async def test_a_file_that_was_cut_is_not_begun(
    client: AsyncClient, at: Sending, house: House, stored: Path
) -> None:
    file = (await uploads(client, at))[1]["id"]
    path = await object_of(house, stored, file)
    path.write_bytes(path.read_bytes()[:-1])
    answer = await content(client, at, file)
    assert answer.status_code == 500
    path.unlink()
    assert (await content(client, at, file)).status_code == 500
    damaged = [each.event for each in await house.all(AuditRow) if "damaged" in each.event]
    assert damaged == ["upload.damaged"] * 2


async def test_a_file_that_was_changed_breaks_off(
    client: AsyncClient, app: FastAPI, at: Sending, house: House, stored: Path
) -> None:
    """No byte of the changed segment leaves, and no clean end: nobody takes a part for all."""
    file = (await uploads(client, at))[1]["id"]
    path = await object_of(house, stored, file)
    raw = bytearray(path.read_bytes())
    raw[MIB + 500_000] ^= 1
    path.write_bytes(raw)
    async with serving(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        target = f"{API}{path_of(at)}/uploads/{file}/content"
        bearer = client.headers["authorization"]
        writer.write(
            f"GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\n\r\n".encode()
        )
        got = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"content-length: {len(CSV)}".encode() in head
    assert 0 < len(body) <= MIB
    assert CSV.startswith(body)
    events = [each.event for each in await house.all(AuditRow) if each.event.startswith("upload.d")]
    assert events == ["upload.downloaded", "upload.damaged"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ('"x"%.txt', "attachment; filename=\"_x__.txt\"; filename*=UTF-8''%22x%22%25.txt"),
        ("名.csv", "attachment; filename=\"_.csv\"; filename*=UTF-8''%E5%90%8D.csv"),
    ],
)
def test_the_name_to_save_under(name: str, said: str) -> None:
    assert disposition(name) == said
