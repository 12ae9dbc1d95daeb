"""Pictures of an agreement's pages, for its editor and wherever there is no other viewer."""

from collections import OrderedDict

from adapters.pdf_pages import WIDTH, Page, page_images

WEBP = "image/webp"
MOST_KEPT = 60

_pictures: OrderedDict[tuple[str, int], bytes] = OrderedDict()
"""A page's look never changes; drawing it takes some 100 ms of a process of its own."""


async def picture_of(pdf: bytes, sha256: str, number: int) -> bytes:
    """One page, by its number from 1, of a paper with this hash; raises `FileCheckBroken`.

    The caller has just read the paper, so that what was erased is not shown from here.
    """
    known = (sha256, number)
    if known not in _pictures:
        # A page is drawn by its number; its size is the picture's own.
        (_pictures[known],) = await page_images(pdf, [Page(number, 0, 0)], width=WIDTH)
        while len(_pictures) > MOST_KEPT:
            _pictures.popitem(last=False)
    return _pictures[known]
