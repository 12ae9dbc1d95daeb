"""The room at the end of a document where a signer's name, date and signature go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.pdf_paper import QUIET, SMALL, STRONG, Paper
from domain.agreement_field import AgreementField, FieldKind

Translate = Callable[[str], str]
Place = tuple[float, float, float, float]
"""Left, top, width, height; in mm from the upper left corner."""

HEIGHT = 48.0
"""Of one signer's room, in mm; it is never parted."""
_NAME_WIDTH, _DATE_WIDTH, _LINE_HEIGHT, _SIGNATURE_HEIGHT = 92.0, 60.0, 9.0, 18.0
_UNDER = 4.6


@dataclass(frozen=True, slots=True)
class Area:
    """Where a signer's three fields are, and on which page, counted from 1."""

    page: int
    name: Place
    date: Place
    signature: Place


def draw_area(paper: Paper, title: str, _: Translate) -> Area:
    """Draws one signer's room, whole on one page, and says where its fields are."""
    paper.keep(HEIGHT)
    paper.words(title, STRONG)
    left, right = paper.l_margin, paper.w - paper.r_margin
    top = paper.get_y() + 1
    name = (left, top, _NAME_WIDTH, _LINE_HEIGHT)
    date = (right - _DATE_WIDTH, top, _DATE_WIDTH, _LINE_HEIGHT)
    _line(paper, name, _("Name"))
    _line(paper, date, _("Date"))
    signature = (left, top + _LINE_HEIGHT + _UNDER + 1, _NAME_WIDTH, _SIGNATURE_HEIGHT)
    _line(paper, signature, _("Signature"))
    paper.set_y(signature[1] + _SIGNATURE_HEIGHT + _UNDER + 4)
    return Area(paper.page_no(), name, date, signature)


def _line(paper: Paper, place: Place, label: str) -> None:
    """The line to write on, and what is to be written on it below."""
    left, top, width, height = place
    paper.set_draw_color(*QUIET)
    paper.set_line_width(0.2)
    paper.line(left, top + height, left + width, top + height)
    paper.set_xy(left, top + height + 0.4)
    paper.words(label, SMALL, width)


def area_fields(
    areas: Sequence[Area], paper: tuple[float, float], _: Translate
) -> tuple[AgreementField, ...]:
    """The fields of these rooms on paper of that size in mm, the first one being signer 1's."""
    return tuple(
        _field(f"{key}-{signer}", kind, signer, label, area.page, _fractions(place, paper))
        for signer, area in enumerate(areas, start=1)
        for key, kind, label, place in (
            ("name", FieldKind.TEXT, _("Name"), area.name),
            ("date", FieldKind.DATE, _("Date"), area.date),
            ("signature", FieldKind.SIGNATURE, _("Signature"), area.signature),
        )
    )


def _field(
    key: str, kind: FieldKind, signer: int, label: str, page: int, place: Place
) -> AgreementField:
    return AgreementField(key, kind, signer, label, page, *place)


def _fractions(place: Place, paper: tuple[float, float]) -> Place:
    left, top, width, height = place
    across, down = paper
    x, y, wide, high = (
        round(each, 6) for each in (left / across, top / down, width / across, height / down)
    )
    return x, y, wide, high
