"""Pictures of pages, drawn once and kept by a process for a while, within a bound."""

import asyncio
from collections import OrderedDict
from uuid import UUID

from starlette.datastructures import State

from adapters.pdf_pages import Page, page_images

AT_ONCE = 4
"""Pages that are drawn together: whoever looks at one reads on."""
MOST_BYTES = 48 * 1024 * 1024


class PagePictures:
    """The pictures of papers, by paper and page; the longest unused go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Begins with none."""
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

        Raises `FileCheckBroken`.
        """
        first = (number - 1) // AT_ONCE * AT_ONCE + 1
        numbers = range(first, min(first + AT_ONCE, pages + 1))
        while (picture := self.known(paper, number)) is None:
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
        for number, picture in zip(numbers, await page_images(pdf, wanted), strict=True):
            self._keep((paper, number), picture)

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
