"""A sheet of paper for what people keep: A4, quiet, and readable in any script.

It is PDF/A-3 (ISO 19005-3): fonts are inside, and a file for machines can travel with the text.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import uharfbuzz  # type: ignore[import-untyped]  # has no types
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from typing_extensions import override

from adapters.mail_rendering import one_line

FONTS = Path(__file__).parent / "fonts"
SANS, SANS_BOLD, MONO = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"
OTHER_SCRIPTS = (
    "DroidSansFallback.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansTelugu-Regular.ttf",
    "NotoSansThai-Regular.ttf",
)
UNSHAPED_BELOW = "\u0250"
"""Latin letters and punctuation stand side by side; anything above may join, stack or turn."""

INK, QUIET, ACCENT, RULE = (27, 31, 36), (87, 96, 106), (26, 63, 174), (208, 214, 222)
MARGIN, BOTTOM, LABEL_WIDTH, GAP, AFTER_ROW = 20.0, 22.0, 42.0, 4.0, 1.2
"""In mm."""


_TOTAL = "{nb}"
"""Where a footer has the number of all pages, which is known when the last one is written."""


@dataclass(frozen=True, slots=True)
class Style:
    """How words are written: the type's size in points, the height of a line in mm."""

    size: float
    line: float
    font: str = "sans"
    bold: bool = False
    colour: tuple[int, int, int] = INK


TITLE = Style(20, 9.5, bold=True)
HEADING = Style(12, 6.5, bold=True, colour=ACCENT)
STRONG = Style(10, 5.2, bold=True)
TEXT = Style(9.5, 5.0)
LABEL = Style(8.5, 5.0, colour=QUIET)
SMALL = Style(8, 4.2, colour=QUIET)
CODE = Style(7.6, 4.4, font="mono")

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 pdfaid:part="3" pdfaid:conformance="U" pdf:Producer="Gatepass"
 xmp:CreateDate="{at}" xmp:ModifyDate="{at}" xmp:MetadataDate="{at}">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


class Paper(FPDF):
    """Written from top to bottom; the same words give the same bytes."""

    def __init__(self, title: str, author: str, language: str, dated: datetime) -> None:
        """Takes what the document is called, whose it is, its BCP 47 language and its date."""
        super().__init__(format="A4", enforce_compliance="PDF/A-3U")
        self.footer_words: Callable[[int, str], str] = _number
        self._is_closing = False
        # Only a footer has the number of pages in it; elsewhere such letters are what was written.
        self.alias_nb_pages("")
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(auto=True, margin=BOTTOM)
        self.add_font("sans", "", FONTS / SANS)
        self.add_font("sans", "B", FONTS / SANS_BOLD)
        self.add_font("mono", "", FONTS / MONO)
        self._others: list[str] = []
        self.set_fallback_fonts(["sans"], exact_match=False)
        self._describe(one_line(title), one_line(author), language, dated)

    def _describe(self, title: str, author: str, language: str, dated: datetime) -> None:
        self.set_title(title)
        self.set_author(author)
        self.set_lang(language)
        self.set_producer("Gatepass")
        self.set_creation_date(dated)
        # Ours, because the library would put the present time into its own.
        at = dated.isoformat(timespec="seconds")
        words = {"title": escape(title), "author": escape(author), "language": language}
        self.set_xmp_metadata(XMP.format(at=at, **words))

    @override
    def footer(self) -> None:
        """At the foot of each page; the library calls it."""
        number, total = self.page_no(), _TOTAL
        while total in self.footer_words(number, ""):
            total = f"{{{total}}}"
        self.set_y(-BOTTOM + 7)
        self.alias_nb_pages(total)
        self._write(self.footer_words(number, total), SMALL, 0)
        if not self._is_closing:
            self.alias_nb_pages("")

    @override
    def output(self, *args: Any, **kwargs: Any) -> Any:
        """The finished document; the library looks for totals if the last footer had one."""
        self._is_closing = True
        return super().output(*args, **kwargs)

    def words(self, text: str, style: Style = TEXT, width: float = 0) -> None:
        """Writes from here to the right margin or `width` mm, in as many lines as it takes."""
        self._write(text, style, width)

    def _write(self, text: str, style: Style, width: float) -> None:
        self._take(style)
        shown = self._showable(text)
        self.set_text_shaping(any(each >= UNSHAPED_BELOW for each in shown))
        wrap = WrapMode.CHAR if style.font == "mono" else WrapMode.WORD
        self.multi_cell(
            width,
            style.line,
            shown,
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
            wrapmode=wrap,
        )

    def _take(self, style: Style) -> None:
        self.set_font(style.font, "B" if style.bold else "", style.size)
        self.set_text_color(*style.colour)

    def row(self, label: str, value: str, style: Style = TEXT) -> None:
        """A label and beside it its value; kept on one page where it fits on one."""
        beside = self.epw - LABEL_WIDTH - GAP
        self.keep(max(self._height(value, style, beside), self._height(label, LABEL, LABEL_WIDTH)))
        page, top = self.page, self.get_y()
        self.words(label, LABEL, LABEL_WIDTH)
        end = self.get_y()
        self.set_xy(self.l_margin + LABEL_WIDTH + GAP, top)
        self.words(value, style, beside)
        lower = max(end, self.get_y()) if self.page == page else self.get_y()
        self.set_y(lower + AFTER_ROW)

    def keep(self, height: float) -> None:
        """Starts a new page unless this much of it is left, or no page would have it."""
        if height < self.eph and self.will_page_break(height):
            self.add_page()

    def _height(self, text: str, style: Style, width: float) -> float:
        """About what `text` takes, rather more, reckoned from its widths without laying it out."""
        self._take(style)
        self.set_text_shaping(use_shaping_engine=False)
        lines = self._showable(text).split("\n")
        return sum(self.get_string_width(each) // (width * 0.9) + 1 for each in lines) * style.line

    def rule(self) -> None:
        """A thin line across."""
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def space(self, height: float) -> None:
        """Leaves this much empty."""
        self.set_y(self.get_y() + height)

    def section(self, title: str, room: float) -> None:
        """A heading over a line; on a new page unless `room` mm are left."""
        self.space(4)
        self.keep(room)
        self.words(title, HEADING)
        self.rule()
        self.space(3)

    def _showable(self, text: str) -> str:
        """The text with each character that no font here has as its code point."""
        lines = (one_line(each) for each in unicodedata.normalize("NFC", text).split("\n"))
        return "\n".join("".join(self._shown(each) for each in line) for line in lines)

    def _shown(self, character: str) -> str:
        if ord(character) in _covered(SANS):
            return character
        for name in OTHER_SCRIPTS:
            if ord(character) in _covered(name):
                self._use(name)
                return character
        # Marks for joining and for the style of an emoji show nothing by themselves.
        unseen = unicodedata.category(character) == "Cf"
        return "" if unseen else f"[U+{ord(character):04X}]"

    def _use(self, name: str) -> None:
        family = Path(name).stem.lower()
        if family not in self._others:
            self._others.append(family)
            self.add_font(family, "", FONTS / name)
            self.set_fallback_fonts(["sans", *self._others], exact_match=False)


def _number(number: int, _: str) -> str:
    return str(number)


def covers(name: str, text: str) -> bool:
    """Whether a font has a glyph for every character of a text."""
    return all(ord(each) in _covered(name) for each in text)


@cache
def _covered(name: str) -> frozenset[int]:
    """The code points that a font has glyphs for."""
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(FONTS / name)))
    return frozenset(face.unicodes)
