"""Pictures of pages, drawn once and kept by a process for a while, within a bound."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID
from weakref import WeakValueDictionary

from starlette.datastructures import State

from adapters.pdf_pages import Page, page_images
from domain.upload import UploadRefused

WEBP = "image/webp"

AT_ONCE = 4
"""Pages that are drawn together: whoever looks at one reads on."""
MOST_BYTES = 48 * 1024 * 1024
REFUSED_FOR = timedelta(minutes=5)
"""A page that took all the computing that it may have is not drawn again at each look."""
MOST_REFUSED = 1000


class PagePictures:
    """The pictures of papers, by paper and page; the longest unused go first."""

    def __init__(
        self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins with none."""
        self._clock = clock
        self._refused: OrderedDict[tuple[UUID, int], tuple[float, UploadRefused]] = OrderedDict()
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[UUID, int], bytes] = OrderedDict()
        self._size = 0
        self._drawing: dict[tuple[UUID, int], asyncio.Task[None]] = {}

    def known(self, paper: UUID, number: int) -> bytes | None:
        """A picture that is kept; a paper never changes."""
        picture = self._kept.get((paper, number))
        if picture is not None:
            self._kept.move_to_end((paper, number))
        return picture

    async def drawn(self, paper: UUID, pdf: bytes, number: int, pages: int) -> bytes:
        """A picture of a page, drawn if need be; who asks meanwhile waits for the same drawing.

        Raises `FileCheckBroken`, and `UploadRefused` for what cannot be drawn; that for a while.
        """
        first = (number - 1) // AT_ONCE * AT_ONCE + 1
        numbers = range(first, min(first + AT_ONCE, pages + 1))
        while (picture := self.known(paper, number)) is None:
            self._refuse(paper, first)
            task = self._drawing.get((paper, first))
            if task is None:
                task = asyncio.create_task(self._draw(paper, pdf, numbers))
                self._drawing[paper, first] = task
                task.add_done_callback(lambda _: self._drawing.pop((paper, first), None))
            # One that goes away does not stop the others' drawing.
            await asyncio.shield(task)
        return picture

    async def _draw(self, paper: UUID, pdf: bytes, numbers: range) -> None:
        # The size is the drawing process's own to find out.
        wanted = [Page(each, 0, 0) for each in numbers]
        # One paper at a time: whoever has many pages to draw leaves room for the others.
        async with self._turns.setdefault(paper, asyncio.Lock()):
            try:
                drawn = await page_images(pdf, wanted)
            except UploadRefused as error:
                self._note_refused((paper, numbers[0]), error)
                raise
        for number, picture in zip(numbers, drawn, strict=True):
            self._keep((paper, number), picture)

    def _refuse(self, paper: UUID, first: int) -> None:
        """Raises what these pages were refused for, if that was a short while ago."""
        until, error = self._refused.get((paper, first), (0.0, None))
        if error is not None and self._clock() < until:
            raise UploadRefused(error.refusal)

    def _note_refused(self, key: tuple[UUID, int], error: UploadRefused) -> None:
        self._refused[key] = (self._clock() + REFUSED_FOR.total_seconds(), error)
        self._refused.move_to_end(key)
        while len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)

    def _keep(self, key: tuple[UUID, int], picture: bytes) -> None:
        self._size += len(picture) - len(self._kept.pop(key, b""))
        self._kept[key] = picture
        while self._size > self._most_bytes and len(self._kept) > AT_ONCE:
            _, gone = self._kept.popitem(last=False)
            self._size -= len(gone)


def page_pictures_of(state: State) -> PagePictures:
    """The pictures of an application, made when they are first asked for."""
    if not hasattr(state, "page_pictures"):
        state.page_pictures = PagePictures()
    pictures: PagePictures = state.page_pictures
    return pictures
