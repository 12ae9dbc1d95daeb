"""What a company and its signers filled in, written onto the pages of their agreement."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from math import ceil, log2
from pathlib import Path
from typing import Any, cast

from babel.dates import format_date
from fpdf.drawing import GraphicsStyle, PaintedPath
from fpdf.drawing_primitives import rgb8
from fpdf.enums import Align, MethodReturnValue, StrokeCapStyle, StrokeJoinStyle, WrapMode
from fpdf.errors import FPDFException
from typing_extensions import override

from adapters.mail_rendering import one_line
from adapters.pdf_overlay import Seen, bare, lay_over, opened, seen_of, written
from adapters.pdf_paper import FONTS, INK, UNSHAPED_BELOW, Paper, covers
from domain.agreement_field import MARKS, AgreementField, FieldKind, Mark, is_ticked

Value = str | bool | Mark | Mapping[str, Any]
"""Of a text or date (ISO 8601), of a checkbox, and of a mark, also one as it was posted."""

HANDS = ("Caveat-Regular.ttf", "DancingScript-Regular.ttf")
"""The first that has all letters of a name writes it."""

_POINT = 25.4 / 72
_LARGEST_TEXT, _READABLE, _SMALLEST = 11.0, 5.0, 0.25
_LARGEST_MARK = 40.0
_MOST_TIMES = 2**16
"""The widest letter and the longest text fit into the smallest field long before this."""
_SWASH = 0.06
"""How far a hand's last letter may reach beyond its own width."""
_LINE = 1.2
"""The height of a line by the size of its letters."""
_PADDING = 1.5
"""In points."""
_PEN = (0.9, 1.8)
"""The width of a stroke in points, at least and at most."""
_SMALLEST_INK = 0.25
"""By the width of what was drawn on: a dot does not fill a field."""
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
Point = tuple[float, float]
Place = tuple[float, float, float, float]
"""Left, top, width, height; in mm from the upper left corner."""


def filled(
    pdf: bytes,
    fields: Sequence[AgreementField],
    values: Mapping[str, Value],
    *,
    locale: str = "en",
) -> bytes:
    """The document with a value in each field that has one, by its key or the company's own.

    The same bytes each time. Computes, 20 ms a page: call it in a thread. `ValueError` for a field
    on a page that is not there.
    """
    shown = [each for each in fields if each.kind is FieldKind.CHECKBOX or _has(each, values)]
    if not shown:
        return pdf
    with opened(pdf) as document:
        numbers = sorted({each.page for each in shown})
        if numbers[0] < 1 or numbers[-1] > len(document.pages):
            raise ValueError(f"a field on page {numbers[-1]} of {len(document.pages)}")
        sheet = _Sheet(locale)
        for number in numbers:
            sheet.begin(seen_of(document.pages[number - 1]))
            for each in shown:
                if each.page == number:
                    sheet.put(each, _value(each, values))
        bare(document)
        lay_over(document, bytes(sheet.output()), numbers)
        return written(document)


def _value(field: AgreementField, values: Mapping[str, Value]) -> str | bool | Mark:
    value = values.get(field.key, field.value)
    return Mark.of(value) if isinstance(value, Mapping) else value


def _has(field: AgreementField, values: Mapping[str, Value]) -> bool:
    value = _value(field, values)
    return not value.is_empty if isinstance(value, Mark) else bool(value)


class _Sheet(Paper):
    """What is laid over the pages: nothing but the values, in their places."""

    def __init__(self, locale: str) -> None:
        super().__init__("–", "Gatepass", locale.replace("_", "-"), _UNDATED)
        self._locale = locale
        self.set_margins(0, 0, 0)
        self.set_auto_page_break(auto=False)

    @override
    def footer(self) -> None:
        """Nothing."""

    def begin(self, seen: Seen) -> None:
        """A page of that size."""
        across, up = seen.size
        self.add_page(format=(across * _POINT, up * _POINT))

    def put(self, field: AgreementField, value: str | bool | Mark) -> None:
        """One value into its place on this page."""
        left, top = field.x * self.w, field.y * self.h
        place = (left, top, field.width * self.w, field.height * self.h)
        if field.kind is FieldKind.CHECKBOX:
            self._box(place, is_checked=is_ticked(value))
        elif isinstance(value, Mark):
            self._mark(place, value)
        elif field.kind in MARKS:
            self._hand(place, str(value))
        else:
            self._text(place, self._said(field.kind, str(value)))

    def _said(self, kind: FieldKind, value: str) -> str:
        if kind is not FieldKind.DATE:
            return value
        try:
            return format_date(date.fromisoformat(value), "long", self._locale)
        except ValueError:
            return value

    def _text(self, place: Place, value: str) -> None:
        """As large as it fits: in one line or more, and whatever its length, all of it."""
        text = self._showable(value)
        self.set_text_shaping(any(each >= UNSHAPED_BELOW for each in text))
        inner = _inside(place)
        size, times = self._fitting("sans", text, inner)
        with self._reduced(inner, times) as room:
            lines = self._lines("sans", text, size, room[2])
            height = len(lines) * size * _LINE * _POINT
            self.set_xy(room[0], room[1] + max(0, room[3] - height) / 2)
            self._cell(text, size, room[2], dry_run=False)

    def _fitting(self, font: str, text: str, place: Place) -> tuple[float, int]:
        """The size in points, and how many times smaller than that it is drawn: any text fits.

        A word is broken only where it would not be readable else.
        """
        for smallest, is_broken in ((_READABLE, False), (_SMALLEST, True)):
            size = self._largest(font, text, place)
            while size >= smallest:
                if self._fits(font, text, size, place, is_broken):
                    return size, 1
                size *= 0.94
        times = 1
        while times < _MOST_TIMES and not self._fits(
            font, text, _SMALLEST, _enlarged(place, times), is_broken=True
        ):
            times *= 2
        return _SMALLEST, times

    @contextmanager
    def _reduced(self, place: Place, times: int) -> Iterator[Place]:
        """The room that there is in a place for what is drawn that many times smaller."""
        if times == 1:
            yield place
            return
        scale, left, up = 1 / times, place[0] * self.k, (self.h - place[1]) * self.k
        with self.local_context():
            # Letters have sizes in hundredths of a point; smaller ones would have none.
            moved = f"{left * (1 - scale):.5f} {up * (1 - scale):.5f}"
            self._out(f"{scale:.9f} 0 0 {scale:.9f} {moved} cm")
            yield _enlarged(place, times)

    def _largest(self, font: str, text: str, place: Place) -> float:
        """What cannot be exceeded: the text's area by the size's square is the place's, or less."""
        _, _, width, height = place
        self.set_font(font, "", 1)
        area = self.get_string_width(text.replace("\n", " ")) * _LINE * _POINT
        bound = (width * height / area) ** 0.5 if area else _LARGEST_TEXT
        return max(_SMALLEST, min(_LARGEST_TEXT, height / _LINE / _POINT, bound))

    def _fits(self, font: str, text: str, size: float, place: Place, is_broken: bool) -> bool:
        _, _, width, height = place
        try:
            lines = self._lines(font, text, size, width)
        except FPDFException:  # One letter by itself is wider than that.
            return False
        if len(lines) * size * _LINE * _POINT > height:
            return False
        return is_broken or all(self.get_string_width(each) <= width for each in text.split())

    def _lines(self, font: str, text: str, size: float, width: float) -> list[str]:
        self.set_font(font, "", size)
        return self._cell(text, size, width, dry_run=True)

    def _cell(self, text: str, size: float, width: float, *, dry_run: bool) -> list[str]:
        self.set_text_color(*INK)
        lines = self.multi_cell(
            width,
            size * _LINE * _POINT,
            text,
            align=Align.L,
            wrapmode=WrapMode.WORD,
            dry_run=dry_run,
            output=MethodReturnValue.LINES,
        )
        return cast("list[str]", lines)

    def _hand(self, place: Place, value: str) -> None:
        """A typed name as a hand would write it, if there is a hand for its letters."""
        text = one_line(unicodedata.normalize("NFC", value))
        hand = next((each for each in HANDS if covers(each, text)), None)
        if hand is None:
            self._text(place, value)
            return
        family = Path(hand).stem.lower()
        if family not in self.fonts:
            self.add_font(family, "", FONTS / hand)
        left, top, width, height = _inside(place)
        self.set_text_shaping(use_shaping_engine=True)
        self.set_font(family, "", _LARGEST_MARK)
        natural = self.get_string_width(text) / _LARGEST_MARK
        if natural <= 0:  # An accent by itself has no width that a size could follow from.
            self._text(place, value)
            return
        size = min(_LARGEST_MARK, height / _LINE / _POINT, width * (1 - _SWASH) / natural)
        times = 2 ** max(0, ceil(log2(_SMALLEST / size)))
        with self._reduced((left, top, width, height), times) as room:
            self.set_font(family, "", size * times)
            self.set_text_color(*INK)
            line = size * times * _LINE * _POINT
            self.set_xy(room[0], room[1] + (room[3] - line) / 2)
            self.cell(room[2], line, text)

    def _mark(self, place: Place, mark: Mark) -> None:
        if not mark.strokes:
            self._hand(place, mark.typed)
            return
        to, pen = _scaled(mark, _inside(place))
        self._draw([[to(each) for each in stroke] for stroke in mark.strokes if stroke], pen)

    def _box(self, place: Place, *, is_checked: bool) -> None:
        """A square with a tick in it, or with none: that nothing was ticked is an answer, too."""
        left, top, width, height = place
        side = min(width, height)
        left, top = left + (width - side) / 2, top + (height - side) / 2
        corners = [(0.08, 0.08), (0.92, 0.08), (0.92, 0.92), (0.08, 0.92), (0.08, 0.08)]
        tick = [(0.24, 0.52), (0.43, 0.72), (0.78, 0.28)]
        lines = [corners, tick] if is_checked else [corners]
        placed = [[(left + x * side, top + y * side) for x, y in each] for each in lines]
        self._draw(placed, max(_PEN[0] * _POINT / 2, side * 0.06))

    def _draw(self, lines: Iterable[Sequence[Point]], pen: float) -> None:
        """Lines with round ends; a point by itself is a dot."""
        with self.drawing_context() as canvas:
            for line in lines:
                path = PaintedPath(*line[0])
                _stroke(path.style, pen)
                for point in line[1:] or line:
                    path.line_to(*point)
                canvas.add_item(path)


def _stroke(style: GraphicsStyle, pen: float) -> None:
    style.stroke_width, style.stroke_color, style.fill_color = pen, rgb8(*INK), None
    style.stroke_cap_style, style.stroke_join_style = StrokeCapStyle.ROUND, StrokeJoinStyle.ROUND
    style.auto_close = False


def _inside(place: Place) -> Place:
    left, top, width, height = place
    edge = min(_PADDING * _POINT, width / 8, height / 8)
    return left + edge, top + edge, width - 2 * edge, height - 2 * edge


def _enlarged(place: Place, times: int) -> Place:
    left, top, width, height = place
    return left, top, width * times, height * times


def _scaled(mark: Mark, place: Place) -> tuple[Callable[[Point], Point], float]:
    """Where a point of the ink goes, and how wide the pen is: in the middle, not distorted.

    Only the ink counts, not the box it was drawn in: that is wide on a phone held one way and
    high on one held the other.
    """
    points = [each for stroke in mark.strokes for each in stroke]
    (least_x, most_x), (least_y, most_y) = (
        (min(each), max(each)) for each in zip(*points, strict=True)
    )
    across, down = max(most_x - least_x, _SMALLEST_INK), max(most_y - least_y, _SMALLEST_INK / 4)
    left, top, width, height = place
    pen = min(max(height * 0.03, _PEN[0] * _POINT), _PEN[1] * _POINT)
    scale = max(0.0, min((width - pen) / across, (height - pen) / down))
    middle = ((least_x + most_x) / 2, (least_y + most_y) / 2)
    centre = (left + width / 2, top + height / 2)
    return (
        lambda at: (
            centre[0] + (at[0] - middle[0]) * scale,
            centre[1] + (at[1] - middle[1]) * scale,
        )
    ), pen
