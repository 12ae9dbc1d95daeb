"""The fields of an agreement: what each signer fills in, and where on which page it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FieldKind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    DATE = "date"
    CHECKBOX = "checkbox"
    INITIALS = "initials"
    SIGNATURE = "signature"


MARKS = frozenset({FieldKind.INITIALS, FieldKind.SIGNATURE})
"""The kinds that are drawn or typed as a hand would."""


_UNTICKED = frozenset(["", "false", "no", "off", "0"])


def is_ticked(value: object) -> bool:
    """Whether a checkbox with this value is ticked, on a screen as in the sealed document.

    Takes what a signer posted (True or False) and what a company wrote ("yes", "off").
    """
    return str(value).strip().lower() not in _UNTICKED


@dataclass(frozen=True, slots=True)
class AgreementField:
    """One field; `signer` is a position from 1, or None for what the company has filled in.

    `page` counts from 1; `x`, `y`, `width` and `height` are fractions of the page's width and
    height, from its upper left corner, so that they hold for any size and any screen.
    """

    key: str
    kind: FieldKind
    signer: int | None
    label: str
    page: int
    x: float
    y: float
    width: float
    height: float
    required: bool = True
    value: str = ""
    """What the company has filled in; "" in a signer's field."""

    @property
    def is_ticked(self) -> bool:
        """Whether the company has ticked it, if it is a checkbox."""
        return is_ticked(self.value)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "AgreementField":
        """The value of a field's definition that has no faults."""
        return cls(
            key=raw["key"],
            kind=FieldKind(raw["kind"]),
            signer=raw.get("signer"),
            label=raw["label"],
            page=raw["page"],
            x=float(raw["x"]),
            y=float(raw["y"]),
            width=float(raw["width"]),
            height=float(raw["height"]),
            required=raw.get("required", True),
            value=raw.get("value", ""),
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """A signature or initials: strokes as drawn, or a name as typed; one of the two is empty.

    A stroke is a line through points; a point is (x, y) as fractions of the width of the box that
    was drawn in, so that turning the phone moves nothing. `ratio` is the box's height by its width.
    """

    strokes: tuple[tuple[tuple[float, float], ...], ...] = ()
    ratio: float = 0.4
    typed: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Mark":
        """The value of a posted mark that has no faults."""
        strokes = (tuple((float(x), float(y)) for x, y in each) for each in raw.get("strokes", ()))
        return cls(tuple(strokes), float(raw.get("ratio", 0.4)), raw.get("typed", ""))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was drawn and nothing typed."""
        return not self.strokes and not self.typed.strip()
