"""How often a page's content keeps the state of the pen (`q`), and goes back to one (`Q`)."""

from typing import Any

from pikepdf import Object, Operator, Pdf, StreamParser
from typing_extensions import override


class _Depth(StreamParser):
    """Counts as it goes: a list of all instructions could fill the memory."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.lowest = 0

    @override
    def handle_object(self, obj: Any, *_: int) -> None:
        if isinstance(obj, Operator):
            # No text: the name of an operator may be any bytes.
            name = obj.unparse()
            self.depth += (name == b"q") - (name == b"Q")
            self.lowest = min(self.lowest, self.depth)

    @override
    def handle_eof(self) -> None:
        """Nothing is left to do."""


def unbalanced(content: bytes) -> tuple[int, int]:
    """How often it goes back to a state that it did not keep, and how many it leaves kept.

    Raises `pikepdf.PdfError` for what cannot be read.
    """
    with Pdf.new() as pdf:
        found = _Depth()
        Object._parse_stream(pdf.make_stream(content), found)  # noqa: SLF001 - has no public name
    return -found.lowest, found.depth - found.lowest


def balanced(content: bytes) -> bytes:
    """The same between a `q` and its `Q`; raises `ValueError` if nothing can follow it."""
    before, after = unbalanced(content)
    whole = b"q " * (1 + before) + b"\n" + content + b"\n" + b"Q " * (1 + after)
    # A string or an image that does not end would take in whatever is laid over the page.
    if unbalanced(whole) != (0, 0):
        raise ValueError("content without an end")
    return whole
