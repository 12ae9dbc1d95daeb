"""What is drawn in a signer's browser by pdf.js is what the pictures show, and other readers."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pikepdf import Dictionary, Name, String
from PIL import Image
from playwright.async_api import Browser, Page, Route

from tests.rooms.notes import MARKS, SIZE, cover, is_alike, noted, picture, prepared, text_field

VENDORED = Path(__file__).parents[2] / "api" / "vendored"
DRAW = """async ([raw, mode]) => {
  const pdfjs = await import("/pdf.min.mjs");
  pdfjs.GlobalWorkerOptions.workerSrc = "/pdf.worker.min.mjs";
  const data = Uint8Array.from(atob(raw), each => each.charCodeAt(0));
  const pdf = await pdfjs.getDocument({data, useWasm: false, isEvalSupported: false}).promise;
  const page = await pdf.getPage(1), viewport = page.getViewport({scale: 1});
  const canvas = document.createElement("canvas");
  canvas.width = viewport.width;
  canvas.height = viewport.height;
  await page.render({canvas, viewport, annotationMode: pdfjs.AnnotationMode[mode]}).promise;
  return canvas.toDataURL("image/png").split(",")[1];
}"""
"""As `api/static/signing_pages.js` does it, or as a reader would that draws annotations."""


async def _served(route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[1]
    if name:
        await route.fulfill(path=VENDORED / name, content_type="text/javascript")
    else:
        await route.fulfill(body="<!doctype html>", content_type="text/html")


@pytest_asyncio.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    page = await chromium.new_page()
    await page.route("**/*", _served)
    await page.goto("http://views.example/")
    yield page
    await page.close()


async def drawn(page: Page, pdf: bytes, mode: str) -> Image.Image:
    png = await page.evaluate(DRAW, [b64encode(pdf).decode(), mode])
    return Image.open(BytesIO(b64decode(png))).convert("RGB").resize(SIZE)


RED = b"1 0 0 rg 0 0 340 60 re f"
WRITTEN: dict[str, Any] = {"FT": Name.Tx, "V": String("Hello"), "DA": String("/Helv 24 Tf")}


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
@pytest.mark.parametrize("kind", [*MARKS, "cover", "field", "none"])
async def test_pdf_js_draws_what_the_picture_shows(kind: str, page: Page) -> None:
    """Whether it draws annotations or not: there are none."""
    look = {kind: MARKS[kind] for kind in MARKS} | {"cover": cover}
    raw = noted(look[kind](), look=RED) if kind in look else noted()
    if kind == "field":
        raw = text_field(Dictionary(**WRITTEN))
    reason, pdf = prepared(raw)
    assert reason == ""
    shown = picture(pdf)
    assert is_alike(shown, picture(prepared(noted())[1])) is (kind == "none")
    for mode in ("DISABLE", "ENABLE"):
        assert is_alike(await drawn(page, pdf, mode), shown)
