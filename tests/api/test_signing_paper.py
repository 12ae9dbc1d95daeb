"""What a signer reads: the PDF, pictures of its pages, and where its fields stand (EX-8, EX-19)."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
import pytest_asyncio
from fastapi import FastAPI
from PIL import Image

from adapters.pdf_pages import Page
from api import page_pictures
from api.page_pictures import AT_ONCE, PagePictures
from domain.upload import UploadReason, UploadRefused, refused
from store.columns import new_id
from tests.api.test_signing import Signer, sign, signer_of
from tests.rooms.agreements import Desk
from tests.rooms.house import House, bare_house
from tests.rooms.papers import paper_of
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with bare_house(database_url) as house:
        yield house


@pytest.fixture
def app(house: House) -> FastAPI:
    return app_of(house)


@pytest_asyncio.fixture
async def browser(app: FastAPI, house: House) -> AsyncIterator[PartyBrowser]:
    async with browser_at(app, house) as browser:
        yield browser


@pytest_asyncio.fixture
async def signer(house: House, browser: PartyBrowser) -> Signer:
    return await signer_of(Desk(house), browser, paper=await paper_of("One", "Two", "Three"))


async def test_each_page_is_a_picture_and_the_document_a_pdf(signer: Signer) -> None:
    for number in (1, 2, 3):
        page = await signer.browser.get(f"{signer.task}/pages/{number}?version=1")
        assert (page.status_code, page.headers["content-type"]) == (200, "image/webp")
        assert page.headers["cache-control"] == "no-store"
        with Image.open(BytesIO(page.content)) as picture:
            assert picture.width >= 1000
    pdf = await signer.browser.get(f"{signer.task}/document.pdf?version=1")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-disposition"] == 'inline; filename="document-1.pdf"'


async def test_the_places_of_fields_are_a_sheet_of_their_own(signer: Signer) -> None:
    """The policy allows no inline style; without JavaScript fields stand where they belong."""
    sheet = await signer.browser.get(f"{signer.task}/places.css?version=1")
    assert sheet.headers["content-type"].startswith("text/css")
    assert "#place-signature-1{" in sheet.text
    assert "left:10.0000%;top:10.0000%" in sheet.text
    window = await signer.opened()
    assert "style=" not in window.page.text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("pages/0?version=1", 404),
        ("pages/4?version=1", 404),
        ("pages/99999999999?version=1", 404),
        ("pages/x?version=1", 404),
        ("pages/1?version=2", 404),
        ("pages/1?version=0", 404),
        ("pages/1", 404),
        ("document.pdf?version=2", 404),
        ("document.pdf?version=-1", 422),
        ("places.css?version=7", 404),
    ],
)
async def test_what_there_is_not(signer: Signer, path: str, status: int) -> None:
    assert (await signer.browser.get(f"{signer.task}/{path}")).status_code == status


async def test_the_version_that_was_seen_can_be_read_beside_the_new_one(signer: Signer) -> None:
    """N7: old and new pages side by side; no version that this signer never had."""
    await signer.opened()
    whole = signer.whole
    for each in ("Second", "Third"):
        whole = await signer.desk.change(whole, {}, await paper_of(each))
    found = [
        (await signer.browser.get(f"{signer.task}/pages/1?version={each}")).status_code
        for each in (1, 2, 3)
    ]
    assert found == [200, 404, 200]


async def test_a_part_that_comes_too_late_is_refused_and_is_no_page(signer: Signer) -> None:
    """What a page still fetches when it is signed would be read as a document."""
    await sign(await signer.opened())
    parts = ("document.pdf?version=1", "empty"), ("pages/1", "image"), ("places.css", "style")
    for path, dest in parts:
        late = await signer.browser.get(f"{signer.task}/{path}", headers={"sec-fetch-dest": dest})
        kind = late.headers["content-type"]
        assert (late.status_code, kind) == (410, "application/problem+json"), path
    person = {"sec-fetch-dest": "document"}
    page = await signer.browser.get(f"{signer.task}/document.pdf?version=1", headers=person)
    assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")


async def test_a_stranger_and_another_signer_read_nothing(
    signer: Signer, app: FastAPI, house: House
) -> None:
    async with browser_at(app, house) as other:
        await signer_of(Desk(house), other, "Otto KG")
        for path in ("pages/1?version=1", "document.pdf?version=1", "places.css?version=1"):
            assert (await other.get(f"{signer.task}/{path}")).status_code == 404


async def test_a_page_is_drawn_once_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[int]] = []

    async def draw(_pdf: bytes, pages: list[Page]) -> tuple[bytes, ...]:
        drawn.append([each.number for each in pages])
        await asyncio.sleep(0.01)
        return tuple(b"x" * 10 for _ in pages)

    monkeypatch.setattr(page_pictures, "page_images", draw)
    pictures, paper = PagePictures(most_bytes=60), new_id()
    asked = [pictures.drawn(paper, b"", number, 6) for number in (1, 2, 2, 4, 6)]
    assert await asyncio.gather(*asked) == [b"x" * 10] * 5
    assert drawn == [[1, 2, 3, 4], [5, 6]]
    assert pictures.known(paper, 1)
    await pictures.drawn(new_id(), b"", 1, AT_ONCE)
    assert pictures.known(paper, 5) is None, "the longest unused went first"
    assert pictures.known(paper, 1)


async def test_pages_that_cannot_be_drawn_are_not_tried_at_each_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each try takes 30 s of computing; other pages and papers are drawn meanwhile."""
    now, tried = [0.0], [0]

    async def refuse(_pdf: bytes, _pages: object) -> tuple[bytes, ...]:
        tried[0] += 1
        raise refused(UploadReason.DAMAGED, "checked within 30 s", "not finished")

    monkeypatch.setattr(page_pictures, "page_images", refuse)
    pictures, paper = PagePictures(clock=lambda: now[0]), new_id()
    for number, expected in ((1, 1), (2, 1), (5, 2), (1, 2)):
        with pytest.raises(UploadRefused):
            await pictures.drawn(paper, b"", number, 8)
        assert tried == [expected]
    now[0] = page_pictures.REFUSED_FOR.total_seconds()
    with pytest.raises(UploadRefused):
        await pictures.drawn(paper, b"", 1, 8)
    assert tried == [3]
    monkeypatch.setattr(page_pictures, "MOST_REFUSED", 1)
    for each in (new_id(), paper):
        with pytest.raises(UploadRefused):
            await pictures.drawn(each, b"", 5, 8)
    assert tried == [5]


async def test_one_paper_is_drawn_in_one_process_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawing = {b"one": 0, b"two": 0}
    together = []

    async def draw(pdf: bytes, pages: list[Page]) -> tuple[bytes, ...]:
        drawing[pdf] += 1
        together.append((drawing[pdf], sum(drawing.values())))
        await asyncio.sleep(0.01)
        drawing[pdf] -= 1
        return tuple(b"page" for _ in pages)

    monkeypatch.setattr(page_pictures, "page_images", draw)
    pictures, papers = PagePictures(), {b"one": new_id(), b"two": new_id()}
    asked = [pictures.drawn(papers[pdf], pdf, number, 12) for pdf in papers for number in (1, 5, 9)]
    await asyncio.gather(*asked)
    assert max(own for own, _ in together) == 1
    assert max(every for _, every in together) == 2


async def test_a_drawing_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_pdf: bytes, _pages: object) -> tuple[bytes, ...]:
        raise RuntimeError

    pictures, paper = PagePictures(), new_id()
    with monkeypatch.context() as patched:
        patched.setattr(page_pictures, "page_images", fail)
        with pytest.raises(RuntimeError):
            await pictures.drawn(paper, b"", 1, 1)

    async def draw(_pdf: bytes, _pages: object) -> tuple[bytes, ...]:
        return (b"page",)

    monkeypatch.setattr(page_pictures, "page_images", draw)
    assert await pictures.drawn(paper, b"", 1, 1) == b"page"
