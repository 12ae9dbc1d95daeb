"""The editor's form: a draft as text in inputs, so that it can be shown again as it was typed.

Places are percents of the page. A field names its signer by party, so that another order of the
signers, or one less, moves no field to somebody else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.shapes.field import storable
from domain.agreement_field import FieldKind

MOST_ROWS = 250
NUMBER = re.compile(r"-?\d{1,6}([.,]\d{1,9})?")
WHOLE = re.compile(r"\d{1,6}")
PLACE = ("x", "y", "width", "height")
ADD, DUPLICATE, REMOVE = "add", "duplicate", "remove"
SIZES = {FieldKind.CHECKBOX: ("3", "2"), FieldKind.INITIALS: ("12", "5")}
USUAL_SIZE = ("30", "4")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field as it is typed; `signer` is a party's id, or "" for the company itself."""

    key: str = ""
    kind: str = FieldKind.SIGNATURE
    signer: str = ""
    label: str = ""
    page: str = "1"
    x: str = "10"
    y: str = "10"
    width: str = USUAL_SIZE[0]
    height: str = USUAL_SIZE[1]
    required: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class SignerRow:
    """One signer as it is typed; `order` is where among the others it signs."""

    party: str
    order: str = ""
    signs: bool = True


@dataclass(frozen=True, slots=True)
class DraftForm:
    """The whole form."""

    title: str = ""
    message: str = ""
    consent: str = ""
    ordered: bool = False
    step_up: bool = False
    days: str = ""
    signers: tuple[SignerRow, ...] = ()
    fields: tuple[FieldRow, ...] = ()

    def acted(self, action: str) -> "DraftForm | None":
        """The form after a button for one field, without a script; None for any other button."""
        verb, _, number = action.partition(":")
        at = int(number) if WHOLE.fullmatch(number) else len(self.fields)
        rows = list(self.fields)
        if verb == ADD:
            signer = self.signers[0].party if self.signers else ""
            rows.append(FieldRow(signer=signer, required=True))
        elif verb == DUPLICATE and at < len(rows):
            rows.insert(at + 1, replace(rows[at], key="", y=_lower(rows[at])))
        elif verb == REMOVE and at < len(rows):
            del rows[at]
        else:
            return None
        return replace(self, fields=tuple(rows))


def _lower(row: FieldRow) -> str:
    """A little below, so that the copy is seen."""
    y, height = _number(row.y), _number(row.height)
    if isinstance(y, str) or isinstance(height, str):
        return row.y
    return f"{min(y + height + 1, 100 - height):g}"


def form_of(body: Mapping[str, Any]) -> DraftForm:
    """A draft as its form shows it."""
    parties = [each["party"] for each in body["signers"]]
    signers = (
        SignerRow(each["party"], str(at), each.get("signs", True))
        for at, each in enumerate(body["signers"], 1)
    )
    return DraftForm(
        title=body["title"],
        message=body["message"],
        consent=body["consent"],
        ordered=body["ordered"],
        step_up=body["step_up"],
        days=str(body["time_bound_days"]),
        signers=tuple(signers),
        fields=tuple(_row(each, parties) for each in body["fields"]),
    )


def _row(one: Mapping[str, Any], parties: Sequence[str]) -> FieldRow:
    signer, known = one["signer"], len(parties)
    return FieldRow(
        key=one["key"],
        kind=one["kind"],
        signer=parties[signer - 1] if isinstance(signer, int) and 0 < signer <= known else "",
        label=one["label"],
        page=str(one["page"]),
        required=one.get("required", True),
        value=one.get("value", ""),
        **{name: _percent(one[name]) for name in PLACE},
    )


def _percent(value: Any) -> str:
    return f"{round(value * 100, 4):g}" if isinstance(value, int | float) else str(value)


def read_form(pairs: Sequence[tuple[str, str]]) -> DraftForm:
    """The form as it was posted; what nobody's page sends is left out."""
    sent = {name: value.replace("\0", "") for name, value in pairs}
    return DraftForm(
        title=sent.get("title", "").strip(),
        message=_lines(sent.get("message", "")),
        consent=_lines(sent.get("consent", "")),
        ordered="ordered" in sent,
        step_up="step_up" in sent,
        days=sent.get("days", "").strip(),
        signers=tuple(
            _posted_signer(each) for each in _rows(sent, "signer") if "removed" not in each
        ),
        fields=tuple(_posted_field(each) for each in _rows(sent, "field")),
    )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _rows(sent: Mapping[str, str], noun: str) -> list[dict[str, str]]:
    """What came as `noun.3.label`, by its number."""
    rows: dict[int, dict[str, str]] = {}
    for name, value in sent.items():
        first, _, rest = name.partition(".")
        number, _, member = rest.partition(".")
        if first == noun and WHOLE.fullmatch(number) and len(rows) < MOST_ROWS:
            rows.setdefault(int(number), {})[member] = value.strip()
    return [rows[each] for each in sorted(rows)]


def _posted_signer(sent: Mapping[str, str]) -> SignerRow:
    return SignerRow(sent.get("party", ""), sent.get("order", ""), "signs" in sent)


def _posted_field(sent: Mapping[str, str]) -> FieldRow:
    texts = ("key", "kind", "signer", "label", "page", "value", *PLACE)
    known = {name: sent[name] for name in texts if name in sent}
    return FieldRow(**known, required="required" in sent)


def body_of(form: DraftForm) -> dict[str, Any]:
    """The draft that was typed; a number that cannot be read stays a text, which is its fault."""
    signers = sorted(form.signers, key=_order)
    parties = [each.party for each in signers]
    keys = {each.key for each in form.fields if each.key}
    return {
        "title": form.title,
        "message": form.message,
        "consent": form.consent,
        "ordered": form.ordered,
        "step_up": form.step_up,
        "time_bound_days": int(form.days) if WHOLE.fullmatch(form.days) else form.days,
        "signers": [{"party": each.party, "signs": each.signs} for each in signers],
        "fields": [_field(each, parties, keys) for each in form.fields],
    }


def _order(row: SignerRow) -> tuple[float, int]:
    number = _number(row.order)
    return (number, 0) if isinstance(number, float) else (float("inf"), 1)


def _field(row: FieldRow, parties: Sequence[str], keys: set[str]) -> dict[str, Any]:
    company = row.signer == ""
    # A party that is none of the signers (any more) stays a fault of this field.
    signer = None if company else parties.index(row.signer) + 1 if row.signer in parties else 0
    places = {name: _fraction(getattr(row, name)) for name in PLACE}
    value = {"value": row.value} if company else {}
    return {
        "key": row.key or _new_key(row.kind, keys),
        "kind": row.kind,
        "signer": signer,
        "label": row.label,
        "page": int(row.page) if WHOLE.fullmatch(row.page) else row.page,
        **places,
        "required": row.required,
        **value,
    }


def _new_key(kind: str, keys: set[str]) -> str:
    number = next(each for each in range(1, 10_000) if f"{kind}-{each}" not in keys)
    keys.add(f"{kind}-{number}")
    return f"{kind}-{number}"


def _number(text: str) -> float | str:
    return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else text


def _fraction(text: str) -> float | str:
    number = _number(text)
    return round(number / 100, 6) if isinstance(number, float) else number


def base_of(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the window was given, as it says itself: it decides what is shown, never what is saved.

    What cannot be read is nothing.
    """
    try:
        base = storable(json.loads(dict(pairs).get("base", "")))
    except (ValueError, RecursionError):
        return {}
    fields = base.get("fields") if isinstance(base, dict) else None
    is_whole = isinstance(fields, list) and all(
        isinstance(each, dict) and isinstance(each.get("key"), str) for each in fields
    )
    return dict(base) if is_whole else {}
