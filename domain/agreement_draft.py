"""A draft as a publisher writes it: title, signers, fields; every fault of it is named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.agreement_errors import AgreementFaulty
from domain.agreement_field import MARKS, AgreementField, FieldKind
from domain.definition import Reader
from domain.fault import Fault

LONGEST_TITLE = 200
LONGEST_WORDS = 2000
LONGEST_LABEL = 120
MOST_SIGNERS = 10
MOST_FIELDS = 200
LEAST_SIDE = 0.005
MEMBERS = frozenset(
    ["title", "message", "consent", "ordered", "step_up", "time_bound_days", "signers", "fields"]
)
SIGNER_MEMBERS = frozenset(["party", "signs"])
FIELD_MEMBERS = frozenset(
    ["key", "kind", "signer", "label", "page", "x", "y", "width", "height", "required", "value"]
)
UNSIGNED = "needs a signature field that is required"
"""Whoever signs does not get through without having signed (PS-43)."""
LONGEST_BOUND_DAYS = 366
DEFAULT_BOUND_DAYS = 14


@dataclass(frozen=True, slots=True)
class DraftSigner:
    """Who is to sign, or with `signs` false only to read and fill in (PS-42)."""

    party_id: UUID
    signs: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """What a publisher has written so far."""

    title: str
    message: str = ""
    consent: str = ""
    ordered: bool = True
    step_up: bool = False
    time_bound_days: int = DEFAULT_BOUND_DAYS
    signers: tuple[DraftSigner, ...] = ()
    fields: tuple[AgreementField, ...] = ()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Draft":
        """The value of a body that has no faults."""
        signers = (
            DraftSigner(UUID(each["party"]), each.get("signs", True))
            for each in body.get("signers", [])
        )
        return cls(
            title=body["title"].strip(),
            message=body.get("message", ""),
            consent=body.get("consent", ""),
            ordered=body.get("ordered", True),
            step_up=body.get("step_up", False),
            time_bound_days=body.get("time_bound_days", DEFAULT_BOUND_DAYS),
            signers=tuple(signers),
            fields=tuple(map(AgreementField.of, body.get("fields", []))),
        )


def faults_of(body: Mapping[str, Any], pages: int) -> tuple[Fault, ...]:
    """Every fault of a draft on a document of so many pages."""
    read = Reader()
    read.only(body, MEMBERS, "")
    read.text(body, "title", "", longest=LONGEST_TITLE)
    for name in ("message", "consent"):
        if body.get(name) != "":
            read.text(body, name, "", optional=True, longest=LONGEST_WORDS)
    for name in ("ordered", "step_up"):
        read.switch(body, name, "")
    if "time_bound_days" in body:
        read.number(body, "time_bound_days", "", low=1, high=LONGEST_BOUND_DAYS)
    signers = read.objects(body, "signers", "", most=MOST_SIGNERS)
    parties = [_check_signer(read, each, f"/signers/{at}") for at, each in enumerate(signers)]
    read.unique(parties, "/signers")
    check_fields(read, body, Extent(pages, tuple(_signs(each) for each in signers)))
    return tuple(read.faults)


def _signs(raw: Mapping[str, Any]) -> bool:
    return raw.get("signs", True) is not False


def _check_signer(read: Reader, raw: Mapping[str, Any], at: str) -> str:
    read.only(raw, SIGNER_MEMBERS, at)
    read.switch(raw, "signs", at)
    party = raw.get("party")
    try:
        return str(UUID(party))
    except (TypeError, ValueError, AttributeError):
        read.fault(f"{at}/party", "must be the id of a party")
        return ""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many pages there are to place fields on, and which of the signers sign."""

    pages: int
    signs: tuple[bool, ...]


def check_fields(read: Reader, body: Mapping[str, Any], extent: Extent) -> None:
    """Every fault of the fields in `body`."""
    fields = read.objects(body, "fields", "", most=MOST_FIELDS)
    keys = [_check_field(read, each, f"/fields/{at}", extent) for at, each in enumerate(fields)]
    read.unique(keys, "/fields")


def check_placed(read: Reader, raw: Mapping[str, Any], at: str, pages: int) -> None:
    """Every fault of the fields that a template places, if it does, for its one signer."""
    placed = Reader()
    check_fields(placed, raw, Extent(pages, (True,)))
    if not placed.faults and raw.get("fields"):
        fields = map(AgreementField.of, raw["fields"])
        if not _must_sign(fields, 1):
            placed.fault("/fields", UNSIGNED)
    for each in placed.faults:
        read.fault(f"{at}{each.pointer}", each.message)


def _must_sign(fields: Iterable[AgreementField], signer: int) -> bool:
    """Whether this signer has a signature to give, and is not done without it."""
    return any(
        each.signer == signer and each.kind == FieldKind.SIGNATURE and each.required
        for each in fields
    )


def _check_field(read: Reader, raw: Mapping[str, Any], at: str, extent: Extent) -> str:
    read.only(raw, FIELD_MEMBERS, at)
    kind = read.one_of(raw, "kind", [each.value for each in FieldKind], at)
    read.text(raw, "label", at, longest=LONGEST_LABEL)
    read.switch(raw, "required", at)
    read.number(raw, "page", at, low=1, high=extent.pages)
    _check_place(read, raw, at)
    _check_filler(read, raw, at, extent)
    if kind in MARKS and raw.get("value"):
        read.fault(f"{at}/value", "a signature is never filled in beforehand")
    return read.key(raw, "key", at)


def _check_place(read: Reader, raw: Mapping[str, Any], at: str) -> None:
    for name in ("x", "y", "width", "height"):
        if not _is_fraction(raw.get(name)):
            read.fault(f"{at}/{name}", "must be a fraction of the page, from 0 to 1")
            return
    for start, side in (("x", "width"), ("y", "height")):
        if raw[side] < LEAST_SIDE:
            read.fault(f"{at}/{side}", f"must be {LEAST_SIDE} of the page at least")
        if raw[start] + raw[side] > 1:
            read.fault(f"{at}/{side}", "reaches beyond the page")


def _is_fraction(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _check_filler(read: Reader, raw: Mapping[str, Any], at: str, extent: Extent) -> None:
    signer = raw.get("signer")
    if signer is None:
        _check_filled(read, raw, at)
    elif not isinstance(signer, int) or not 1 <= signer <= len(extent.signs):
        read.fault(f"{at}/signer", f"must be a signer's position, 1 to {len(extent.signs)}")
    elif raw.get("value"):
        read.fault(f"{at}/value", "is the signer's to fill in")
    elif raw.get("kind") in MARKS and not extent.signs[signer - 1]:
        read.fault(f"{at}/signer", "this person does not sign, only reads and fills in")


def _check_filled(read: Reader, raw: Mapping[str, Any], at: str) -> None:
    if raw.get("kind") in MARKS:
        read.fault(f"{at}/signer", "a signature needs a signer")
    read.text(raw, "value", at)


def refuse_unsendable(draft: Draft, unreachable: Collection[UUID] = ()) -> None:
    """Raises `AgreementFaulty` unless everybody has something to do and all is said.

    `unreachable` are the parties without a mail address: a Request to Sign cannot be mailed there.
    """
    faults = [*_unsendable(draft, unreachable)]
    if faults:
        raise AgreementFaulty(tuple(faults))


def _unsendable(draft: Draft, unreachable: Collection[UUID]) -> Sequence[Fault]:
    found = []
    if not draft.consent.strip():
        found.append(Fault("/consent", "says what a signer agrees to; it is missing"))
    if not draft.signers:
        found.append(Fault("/signers", "nobody is to sign"))
    for at, each in enumerate(draft.signers):
        if each.signs and not _must_sign(draft.fields, at + 1):
            found.append(Fault(f"/signers/{at}/signature", UNSIGNED))
        if each.party_id in unreachable:
            found.append(Fault(f"/signers/{at}/email", "has no mail address to ask them at"))
    return found
