"""A document of the workspace as a PDF: its Markdown on paper, and room for signers at its end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from fpdf.enums import TableBordersLayout, VAlign
from fpdf.fonts import FontFace
from markdown_it.token import Token
from typing_extensions import override

from adapters.languages import translations_for
from adapters.markdown import PARSER
from adapters.pdf_paper import (
    FONTS,
    HEADING,
    INK,
    QUIET,
    RULE,
    STRONG,
    TEXT,
    TITLE,
    UNSHAPED_BELOW,
    Paper,
)
from adapters.pdf_runs import Run, plain_of, runs_of
from adapters.pdf_signature_area import HEIGHT, Area, Translate, area_fields, draw_area
from domain.agreement_field import AgreementField
from domain.document import Document

OBLIQUE = "DejaVuSans-Oblique.ttf"
BODY = replace(TEXT, size=10.5, line=5.6)
MONO = replace(BODY, font="mono", size=9, line=5.0)
HEADINGS = {1: replace(HEADING, size=14, line=7.5), 2: HEADING}
"""By level; all lower ones are like `STRONG`."""
INDENT, BETWEEN, WITH_HEADING = 7.0, 2.6, 26.0
"""In mm: of a list, after a paragraph, and what a heading has to have below it."""
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
_BULLETS = ("•", "–", "·")


@dataclass(frozen=True, slots=True)
class MadeDocument:
    """The PDF, and the fields of the room at its end, three for each signer."""

    pdf: bytes
    fields: tuple[AgreementField, ...]


def document_pdf(
    document: Document,
    *,
    signers: Sequence[str] = (),
    company: str = "",
    locale: str = "en",
    dated: datetime = _UNDATED,
) -> MadeDocument:
    """The PDF of a document; the same bytes each time for the same arguments.

    `signers` are the words over each signer's room, such as a name; "" numbers it. Takes about
    0.1 s a page: call it in a thread.
    """
    _ = translations_for(locale).gettext
    sheet = _Sheet(document.title, company or "–", locale.replace("_", "-"), dated)
    sheet.footer_words = partial(_foot, document.title, _)
    sheet.add_page()
    sheet.words(document.title, TITLE)
    sheet.space(3)
    sheet.markdown_of(PARSER.parse(document.markdown))
    areas = _areas(sheet, signers, _)
    return MadeDocument(bytes(sheet.output()), area_fields(areas, (sheet.w, sheet.h), _))


def _foot(title: str, _: Translate, number: int, total: str) -> str:
    words = _("%(title)s · Page %(number)s of %(total)s")
    shown = title if len(title) <= 80 else f"{title[:79]}…"
    return words % {"title": shown, "number": number, "total": total}


def _areas(sheet: "_Sheet", signers: Sequence[str], _: Translate) -> list[Area]:
    if not signers:
        return []
    sheet.keep(HEIGHT + WITH_HEADING)
    sheet.heading(_("Signatures"), 2)
    return [
        draw_area(sheet, name or _("Signer %(number)s") % {"number": number}, _)
        for number, name in enumerate(signers, start=1)
    ]


class _Sheet(Paper):
    """Paper that a text in Markdown is written on."""

    def __init__(self, title: str, author: str, language: str, dated: datetime) -> None:
        super().__init__(title, author, language, dated)
        self.add_font("sans", "I", FONTS / OBLIQUE)
        self._lists: list[int | None] = []
        self._colour = INK

    def heading(self, text: str, level: int) -> None:
        """With some of what follows on the same page."""
        self.space(2.5)
        self.keep(WITH_HEADING)
        self.words(text, HEADINGS.get(level, STRONG))
        self.space(1.2)

    def markdown_of(self, tokens: Sequence[Token]) -> None:
        """Blocks one after the other; one that holds others is what is between its two tokens."""
        at = 0
        while at < len(tokens):
            end = _end_of(tokens, at)
            self._block(tokens[at], tokens[at + 1 : end])
            at = end + 1

    def _block(self, token: Token, inner: Sequence[Token]) -> None:
        match token.type:
            case "heading_open":
                self.heading(plain_of(inner), int(token.tag[1]))
            case "paragraph_open":
                self._paragraph(runs_of(inner))
            case "bullet_list_open" | "ordered_list_open":
                self._list(token, inner)
            case "list_item_open":
                self._item(inner)
            case "table_open":
                self._table(inner)
            case _:
                self._set_apart(token, inner)

    def _set_apart(self, token: Token, inner: Sequence[Token]) -> None:
        if token.type == "hr":
            self.space(2)
            self.rule()
            self.space(3)
            return
        with self._indented(), self._quiet():
            if token.type == "blockquote_open":
                self.markdown_of(inner)
            else:
                self.words(token.content.rstrip("\n"), MONO)
                self.space(BETWEEN)

    @override
    def _showable(self, text: str) -> str:
        """With every space: between words of other emphasis, and before lines of code."""
        shown = super()._showable
        lines = (each.split(" ") for each in text.split("\n"))
        return "\n".join(" ".join(map(shown, words)) for words in lines)

    def _paragraph(self, runs: Sequence[Run]) -> None:
        self.set_x(self.l_margin)
        if len(runs) == 1 and runs[0] == Run(runs[0].text):
            self.words(runs[0].text, replace(BODY, colour=self._colour))
        else:
            for each in runs:
                self._run(each)
            self.ln(BODY.line)
        self.space(0.8 if self._lists else BETWEEN)

    def _run(self, run: Run) -> None:
        """Goes on where the last one ended."""
        text = self._showable(run.text)
        emphasis = ("B" if run.bold else "I" if run.italic else "") + ("S" if run.struck else "")
        if run.mono:
            self.set_font("mono", "S" if run.struck else "", MONO.size)
        else:
            self.set_font("sans", emphasis, BODY.size)
        self.set_text_color(*self._colour)
        self.set_text_shaping(any(each >= UNSHAPED_BELOW for each in text))
        self.write(BODY.line, text)

    def _list(self, token: Token, inner: Sequence[Token]) -> None:
        first = int(token.attrGet("start") or 1) if token.tag == "ol" else None
        self._lists.append(first)
        self.markdown_of(inner)
        self._lists.pop()
        if not self._lists:
            self.space(BETWEEN - 0.8)

    def _item(self, inner: Sequence[Token]) -> None:
        number = self._lists[-1]
        mark = _BULLETS[(len(self._lists) - 1) % len(_BULLETS)] if number is None else f"{number}."
        self.keep(2 * BODY.line)
        top = self.get_y()
        self.words(mark, replace(BODY, colour=QUIET), INDENT)
        self.set_y(top)
        with self._indented():
            self.markdown_of(inner)
        if number is not None:
            self._lists[-1] = number + 1

    def _table(self, inner: Sequence[Token]) -> None:
        """Its cells without emphasis; the first row again on each page."""
        rows = _rows(inner)
        every = "".join(cell for row in rows for cell in row)
        self.set_font("sans", "", TEXT.size)
        self.set_text_color(*INK)
        self.set_text_shaping(any(each >= UNSHAPED_BELOW for each in self._showable(every)))
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.set_x(self.l_margin)
        with self.table(
            [[self._showable(cell) for cell in row] for row in rows],
            align="LEFT",
            text_align="LEFT",
            v_align=VAlign.T,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD"),
            line_height=TEXT.line,
            padding=1,
            width=self.epw,
        ):
            pass
        self.space(BETWEEN)

    @contextmanager
    def _indented(self) -> Iterator[None]:
        before = self.l_margin
        self.set_left_margin(min(before + INDENT, self.w / 2))
        self.set_x(self.l_margin)
        yield
        self.set_left_margin(before)
        self.set_x(before)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        before, self._colour = self._colour, QUIET
        yield
        self._colour = before


def _end_of(tokens: Sequence[Token], at: int) -> int:
    """The place of the token that closes this one; its own if it holds no others."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth == 0:
            return place
    return len(tokens)


def _rows(inner: Sequence[Token]) -> list[list[str]]:
    rows: list[list[str]] = []
    for token in inner:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(plain_of([token]))
    return rows
