"""The pages of a document that is to be signed, as whoever uploaded it gave it.

Foreign PDFs are parsed in the confined process of `file_checks` and nowhere else: once, when it is
uploaded, it comes back written anew and still, and its pages as pictures.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any

from adapters.file_check import FileCheckBroken, answer_to, most_kept
from domain.file_kind import FileKind
from domain.upload import UploadRefused, refuses_content

WIDTH = 1400
"""Of a page's picture, in pixels."""
PATIENCE = timedelta(seconds=40)
_AT_ONCE = 8
"""Pages that one process draws: each process has 30 s of computing."""
_LARGEST_PICTURE = 16 * 1024 * 1024
_HEAD = 64 * 1024


class PdfReason(StrEnum):
    """Why a document that is a good PDF cannot be signed."""

    ENCRYPTED = "encrypted"
    SIGNED = "signed"
    XFA = "xfa"
    DYNAMIC = "dynamic"
    TOO_MANY_PAGES = "too_many_pages"
    PAGE_SIZE = "page_size"
    TOO_MUCH_DRAWN = "too_much_drawn"


class PdfRefused(Exception):
    """A document that cannot be signed."""

    def __init__(self, reason: PdfReason) -> None:
        """Takes why."""
        super().__init__(f"This document cannot be signed: {reason}.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its number from 1, and its size in points as it is seen, turned and cropped."""

    number: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PreparedPdf:
    """A document as it is kept and signed, and its pages."""

    pdf: bytes
    pages: tuple[Page, ...]


async def prepared(
    raw: bytes,
    *,
    timeout: timedelta = PATIENCE,  # noqa: ASYNC109 - limits the other process
) -> PreparedPdf:
    """An uploaded document made fit to be signed.

    Raises `PdfRefused`, `UploadRefused` for what is no whole PDF, and `FileCheckBroken` when the
    check itself fails.
    """
    if refusal := refuses_content(FileKind.PDF, raw[:_HEAD]):
        raise UploadRefused(refusal)
    answer = await answer_to("agreement", raw, timeout, 2 * most_kept(len(raw)))
    head, pdf = _parted(answer)
    _raise_refusal(head)
    return PreparedPdf(pdf, _pages(head))


async def page_images(
    pdf: bytes,
    pages: Sequence[Page],
    *,
    width: int = WIDTH,
    timeout: timedelta = PATIENCE,  # noqa: ASYNC109 - as above, for eight pages
) -> tuple[bytes, ...]:
    """Pictures (WebP) of neighbouring pages of a prepared document, in their order."""
    return await _shown(f"images:{width}", pdf, pages, timeout)


async def page_looks(
    pdf: bytes,
    pages: Sequence[Page],
    *,
    width: int,
    timeout: timedelta = PATIENCE,  # noqa: ASYNC109 - as above, for eight pages
) -> tuple[bytes, ...]:
    """As `page_images`, but smaller; raises `PdfRefused` if one takes too long at full width."""
    return await _shown(f"looks:{width}:{WIDTH}", pdf, pages, timeout, is_judged=True)


async def _shown(
    job: str, pdf: bytes, pages: Sequence[Page], within: timedelta, *, is_judged: bool = False
) -> tuple[bytes, ...]:
    shown: list[bytes] = []
    for begin in range(0, len(pages), _AT_ONCE):
        some = pages[begin : begin + _AT_ONCE]
        most = _HEAD + len(some) * _LARGEST_PICTURE
        asked = f"{job}:{some[0].number}:{some[-1].number}"
        answer = await answer_to(asked, pdf, within, most)
        if is_judged:
            _raise_refusal(_parted(answer)[0])
        shown += _pictures(answer, len(some))
    return tuple(shown)


def _raise_refusal(head: dict[str, Any]) -> None:
    if "refused" in head:
        raise PdfRefused(_reason(head["refused"]))


def _parted(answer: bytes) -> tuple[dict[str, Any], bytes]:
    """The answer's line and what follows. The process may be led astray: nothing is believed."""
    line, _, rest = answer.partition(b"\n")
    try:
        head = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FileCheckBroken("no answer") from error
    if not isinstance(head, dict):
        raise FileCheckBroken("no answer")
    return head, rest


def _reason(stated: object) -> PdfReason:
    try:
        return PdfReason(str(stated))
    except ValueError as error:
        raise FileCheckBroken("no reason") from error


def _pages(head: dict[str, Any]) -> tuple[Page, ...]:
    try:
        sizes = [(float(width), float(height)) for width, height in head["pages"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FileCheckBroken("no pages") from error
    return tuple(Page(number, *size) for number, size in enumerate(sizes, start=1))


def _pictures(answer: bytes, expected: int) -> list[bytes]:
    head, rest = _parted(answer)
    lengths = head.get("lengths")
    if not isinstance(lengths, list) or [type(each) for each in lengths] != [int] * expected:
        raise FileCheckBroken("not the pages that were asked for")
    places = list(accumulate(lengths, initial=0))
    if min(lengths, default=0) < 0 or places[-1] != len(rest):
        raise FileCheckBroken("not the bytes that were stated")
    return [rest[begin:end] for begin, end in pairwise(places)]
