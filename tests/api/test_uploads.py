"""Files of a party over HTTP: taken whole, refused in words, within the gate (PS-40)."""

import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from fastapi import FastAPI

from adapters.objects import ObjectStore, ObjectStoreAway
from api import upload_sender
from commands.public_session import revoke
from domain.settings import Settings
from store.audit import AuditRow
from store.upload import UploadRow
from tests.api.conftest import BASE
from tests.api.sending import Sending, sending, serving
from tests.rooms import files
from tests.rooms.files import MIB, pdf, picture, with_uploads
from tests.rooms.house import INTAKE, Clock, House, bare_house, furnish
from tests.rooms.party_browser import browser_at, words


@pytest_asyncio.fixture
async def house(database_url: str, clock: Clock) -> AsyncIterator[House]:
    async with bare_house(database_url, clock=clock) as house:
        await furnish(house, **with_uploads())
        yield house


@pytest_asyncio.fixture
async def at(app: FastAPI, house: House) -> AsyncIterator[Sending]:
    async with sending(app, house) as at:
        yield at


@pytest.fixture
def stored(settings: Settings) -> Path:
    return Path(settings.object_store)


def files_below(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def session_in(at: Sending) -> UUID:
    return UUID(at.room.rsplit("/", 1)[1])


async def test_a_file_is_sent_listed_and_removed(at: Sending, stored: Path) -> None:
    answer = await at.send("Résumé 2026.pdf", pdf(), "insurance")
    assert answer.status_code == 201
    file = answer.json()
    assert {**file, "id": "", "upload_id": "", "size": 0, "size_text": ""} == {
        "id": "",
        "upload_id": "",
        "slot": "insurance",
        "name": "Résumé 2026.pdf",
        "kind": "pdf",
        "state": "ready",
        "size": 0,
        "size_text": "",
    }
    assert file["size_text"].endswith(("byte", "kB"))
    assert await at.listed() == [file]
    assert len(files_below(stored)) == 1
    assert (await at.remove(file["id"])).status_code == 200
    assert (await at.remove(file["id"])).status_code == 200
    assert await at.listed() == []
    assert files_below(stored) == []


async def test_the_whole_way_of_the_task(at: Sending, house: House) -> None:
    """PS-14: what is missing is said by name; then the files are the company's."""
    page = await at.submit()
    assert page.status_code == 422
    assert "Insurance is still missing." in words(page)
    await at.send("a.pdf", pdf(), "insurance")
    await at.send("b.jpg", picture())
    shown = words(await at.browser.get(f"{at.room}/tasks/papers"))
    assert "a.pdf" in shown
    assert "PDF, JPEG" in shown
    answer = await at.submit()
    assert (answer.status_code, answer.headers["location"]) == (303, f"{at.room}/tasks/terms")
    done = words(await at.browser.get(f"{at.room}/tasks/papers"))
    assert "Insurance a.pdf (" in done
    late = await at.send("c.pdf", pdf())
    assert (late.status_code, late.json()["reload"]) == (409, True)
    assert (await at.remove((await at.listed())[0]["id"])).status_code == 409
    assert len(await house.all(UploadRow)) == 2


CSV = b"a;b\n1;2\n"
REFUSED: list[tuple[str, bytes, str, str]] = [
    ("a.exe", b"MZ", "kind_not_allowed", ".exe"),
    ("a", b"text", "kind_not_allowed", "(a)"),
    ("a.pdf", b"", "empty", "empty"),
    ("a.pdf", picture(), "content_differs", "PDF"),
    ("a.txt", b"<html><script>", "content_differs", "TXT"),
    ("a.jpg", b"MZ\x90\x00" * 99, "content_differs", "JPEG"),
    ("a.pdf", files.pdf_with_password(), "encrypted_document", "password"),
    ("a.pdf", pdf()[:200], "damaged", "damaged"),
    ("a.csv", b"a;b\n" * 20_000 + b"\xff\xff", "damaged", "damaged"),
    ("a.docx", files.word_with_macro(), "active_content", "macros"),
    ("a.zip", files.archive(a_txt=bytes(30 * MIB)), "archive_bomb", "unpacked"),
    ("a.png", files.huge_picture(), "too_many_pixels", "60000"),
    ("..", CSV, "name_unusable", "name"),
    ("a.csv", b"x" * (2 * MIB + 1), "too_large", "2 MB"),
]


@pytest.mark.parametrize(("name", "content", "reason", "word"), REFUSED)
async def test_each_refusal_is_told_in_words(
    at: Sending, house: House, stored: Path, name: str, content: bytes, reason: str, word: str
) -> None:
    """PS-40: the reason, the limit and what was given; nothing of the file stays anywhere."""
    answer = await at.send(name, content)
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (422, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in problem["detail"]
    assert problem["limit"]
    assert problem["given"]
    assert problem["detail"].startswith("Not uploaded: ")
    assert files_below(stored) == []
    assert await house.all(UploadRow) == []
    [row] = [each for each in await house.all(AuditRow) if each.event == "upload.refused"]
    assert (row.reason, row.details) == (reason, {"task": "papers"})


async def test_places_and_numbers_are_refused_in_words(at: Sending) -> None:
    async def reason(name: str = "a.jpg", slot: str = "") -> str:
        return str((await at.send(name, picture(), slot)).json().get("reason"))

    assert await reason(slot="passport") == "unknown_slot"
    assert await reason(slot="insurance") == "None"
    assert await reason(slot="insurance") == "slot_taken"
    for _ in range(3):
        assert await reason() == "None"
    assert await reason() == "too_many"


async def test_a_size_that_is_announced_is_refused_before_it_came(at: Sending) -> None:
    problem = (await at.send("a.csv", b"a", content_length=str(2 * MIB + 1))).json()
    assert (problem["reason"], problem["given"]) == ("too_large", "2.1 MB")


async def test_german_words(app: FastAPI, house: House) -> None:
    session = (await house.create(locale="de")).issued[0]
    async with browser_at(app, house, BASE) as browser:
        at = Sending(browser, await browser.verify(session.id))
        problem = (await at.send("a.csv", b"")).json()
        sent = (await at.send("a.csv", b"a;b\n" * 1_100_00)).json()
    assert problem["reason"] == "empty"
    assert sent["size_text"] == "430 kB"


async def test_the_form_without_a_script(at: Sending, stored: Path) -> None:
    answer = await at.post_form({"slot": "insurance"}, ("a.pdf", pdf()))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{at.room}/tasks/papers")
    old = (await at.listed())[0]
    fields = {"slot": "insurance", "replaces": old["id"]}
    assert (await at.post_form(fields, ("b.pdf", pdf()))).status_code == 303
    assert [each["name"] for each in await at.listed()] == ["b.pdf"]
    answer = await at.post_form(
        {"slot": ""}, ("c.jpg", picture()), ("d.exe", b"MZ"), ("e.csv", CSV)
    )
    assert answer.status_code == 422
    assert "d.exe: Not uploaded: this kind of file (.exe)" in words(answer)
    assert 'href="#slot-files"' in answer.text
    assert [each["name"] for each in await at.listed()] == ["b.pdf", "c.jpg", "e.csv"]
    assert len(files_below(stored)) == 3
    nothing = await at.post_form({"slot": ""}, ("", b""))
    assert nothing.status_code == 303
    file = (await at.listed())[0]
    gone = await at.browser.post(f"{at.files}/{file['id']}/remove")
    assert gone.status_code == 303


async def test_the_same_id_twice_is_one_file(at: Sending, stored: Path, house: House) -> None:
    """A lost answer: the browser sends again, the file is there once."""
    twice = {"x_upload_id": str(uuid4())}
    answers = await asyncio.gather(
        *(at.send("a.jpg", picture(), "insurance", **twice) for _ in range(4))
    )
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert len(await house.all(UploadRow)) == 1
    assert len(files_below(stored)) == 1


async def test_sixteen_at_once_into_one_place(at: Sending, stored: Path) -> None:
    answers = await asyncio.gather(
        *(at.send(f"{each}.csv", CSV, "insurance") for each in range(16))
    )
    assert sorted(each.status_code for each in answers) == [201] + [422] * 15
    assert {each.json().get("reason") for each in answers} == {None, "slot_taken"}
    assert len(files_below(stored)) == 1


ODD = [
    *(f"{name}.csv" for name in ("CON", "nul", "LPT1", "a" * 400, "名" * 300, "é" * 200)),
    *(f"a{mark}b.csv" for mark in "\u202e\u200b\u0007\ufeff\u2044<>|?*:\"'`$%&;#=+!~^{}[]()"),
    *(f"{place}x.csv" for place in ("../", "..\\", "C:\\", "/etc/", "//host/", "%2e%2e/", "\0")),
    *(f"{chr(0x300 + each)}{each}.csv" for each in range(100)),
    *(f"{chr(0x1F600 + each)} {each}.CSV" for each in range(80)),
    *(f" .{each}. .csv" for each in range(60)),
    *(f"{each}\r\nSet-Cookie: a=b.csv" for each in range(20)),
]


@pytest.mark.load
async def test_odd_names_come_to_no_harm(app: FastAPI, house: House, stored: Path) -> None:
    assert len(set(ODD)) >= 300
    body = with_uploads(max_files=100, required=[], min_files=0)
    await house.publish("intake", {**INTAKE, **body})
    names: list[str] = []
    for start in range(0, len(ODD), 90):
        async with sending(app, house) as at:
            answers = [await at.send(each, CSV) for each in ODD[start : start + 90]]
            assert {each.status_code for each in answers} <= {201, 422}
            page = await at.browser.get(f"{at.room}/tasks/papers")
            assert "<script>alert" not in page.text
            names += [each["name"] for each in await at.listed()]
    assert len(names) > 280
    assert all(0 < len(each.encode()) <= 255 for each in names)
    assert not any(set(each) & set('/\\\0\r\n\u202e<>:"|?*') for each in names)
    assert all(each.relative_to(stored).as_posix().isascii() for each in files_below(stored))


async def test_strangers_and_other_sites_send_nothing(
    at: Sending, app: FastAPI, house: House, stored: Path
) -> None:
    """PS-27, ASVS 3.5.1"""
    async with browser_at(app, house, BASE) as stranger:
        answer = await Sending(stranger, at.room).send("a.pdf", pdf())
        assert (answer.status_code, answer.json()["reload"]) == (404, True)
        assert (await stranger.get(at.files)).status_code == 404
    at.browser.sent = {"sec-fetch-site": "cross-site"}
    assert (await at.send("a.pdf", pdf())).status_code == 403
    assert (await at.remove(str(uuid4()))).status_code == 403
    assert files_below(stored) == []


async def test_requests_that_no_page_of_ours_makes(at: Sending) -> None:
    async def status(**more: str) -> int:
        return (await at.send("a.csv", CSV, **more)).status_code

    assert await status(x_upload_id="x") == 400
    assert await status(x_replaces="x") == 400
    assert await status(content_type="text/plain") == 415
    assert (await at.send("%ff%fe.csv", CSV)).status_code == 201
    assert (await at.remove("x")).status_code == 404
    wrong = Sending(at.browser, at.room)
    wrong.files = f"{at.room}/tasks/terms/files"
    assert (await wrong.send("a.csv", CSV)).status_code == 404
    assert (await at.browser.get(wrong.files)).status_code == 404


async def test_an_object_store_that_is_away(
    at: Sending, app: FastAPI, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    async def away(*_: Any) -> int:
        raise ObjectStoreAway("full")

    with monkeypatch.context() as patched:
        patched.setattr(ObjectStore, "write", away)
        answer = await at.send("a.csv", CSV)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        page = await at.post_form({"slot": ""}, ("a.csv", CSV))
        assert (page.status_code, "retry-after" in page.headers) == (503, True)
    assert await house.all(UploadRow) == []
    assert (await at.send("a.csv", CSV)).status_code == 201


async def test_asking_for_the_list_is_no_activity(
    at: Sending, clock: Clock, settings: Settings
) -> None:
    """SX-3: a page that asks by itself goes idle; sending keeps its place."""
    for _ in range(3):
        clock.now += settings.binding_idle * 0.6
        assert (await at.send("a.csv", CSV)).status_code == 201
    for _ in range(3):
        clock.now += settings.binding_idle * 0.6
        answer = await at.browser.get(at.files)
    assert (answer.status_code, answer.json()["reload"]) == (403, True)


async def test_a_session_revoked_meanwhile_stops_its_upload(
    at: Sending, house: House, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PS-30: at the next look at the gate, not at the end of the file."""
    monkeypatch.setattr(upload_sender, "ASKED_EVERY", upload_sender.ASKED_EVERY * 0)
    sent = 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal sent
        for sent in range(1000):
            if sent == 5:
                async with house.transactions.work() as work:
                    session = await house.session(session_in(at))
                    await revoke(work, house.target(session), "why")
            yield b"a;b\n" * 200

    answer = await at.send("a.csv", slow())
    assert (answer.status_code, answer.json()["reload"]) == (410, True)
    assert files_below(stored) == []


async def raw_request(port: int, at: Sending, body: bytes, length: int) -> tuple[Any, Any]:
    """A request on a bare socket, of which only a part may come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    cookies = "; ".join(f"{each.name}={each.value}" for each in at.browser.client.cookies.jar)
    known = {"host": "testserver", "cookie": cookies, "content-length": str(length)}
    head = f"POST {at.files} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in (at.headers("a.csv") | known).items()
    )
    writer.write(head.encode() + b"\r\n" + body)
    await writer.drain()
    return reader, writer


async def test_a_client_that_goes_at_99_percent_leaves_nothing(
    at: Sending, app: FastAPI, house: House, stored: Path
) -> None:
    async with serving(app) as port:
        _, writer = await raw_request(port, at, b"a;b\n" * 99_000, 400_000)
        await asyncio.sleep(0.3)
        writer.close()
        await asyncio.sleep(0.5)
    assert files_below(stored) == []
    assert await house.all(UploadRow) == []
    assert "upload.refused" not in await house.audit(session_in(at))


async def test_a_refusal_is_seen_by_who_sends_on(at: Sending, app: FastAPI) -> None:
    """The rest of a refused file is read, for a browser reads the answer when all is sent."""
    async with serving(app) as port:
        body = b"\x89PNG" * (MIB // 2 - 1)
        reader, writer = await raw_request(port, at, body, len(body))
        head = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    assert head.startswith(b"HTTP/1.1 422 ")


def rss() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def open_files() -> set[str]:
    """The regular files that this process has open, deleted ones, too."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(each.readlink()))
    return {each for each in found if each.startswith("/") and not each.startswith("/dev/")}


@pytest.mark.load
async def test_200_mb_in_flat_memory_and_nothing_beside_the_store(
    app: FastAPI,
    house: House,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RELIABILITY: memory stays flat, and nothing in clear is ever written to a file."""
    body = with_uploads(max_bytes=300 * MIB, required=[], min_files=0)
    await house.publish("intake", {**INTAKE, **body})
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    monkeypatch.setenv("TMPDIR", str(temp))
    highest, opened = 0, set[str]()

    async def lines() -> AsyncIterator[bytes]:
        nonlocal highest, opened
        piece = b"number;amount\n" * 4681
        for each in range(200 * MIB // len(piece)):
            if each % 100 == 0:
                highest, opened = max(highest, rss()), opened | open_files()
            yield piece

    async with sending(app, house) as at:
        await at.send("warm.csv", CSV)
        known = open_files()
        before, began = rss(), time.perf_counter()
        answer = await at.send("a.csv", lines())
        seconds = time.perf_counter() - began
    assert answer.status_code == 201, answer.text
    assert answer.json()["size"] > 199 * MIB
    assert highest - before < 48 * MIB
    assert seconds < 20
    assert files_below(temp) == []
    assert opened - known
    assert all(str(stored) in each for each in opened - known)
