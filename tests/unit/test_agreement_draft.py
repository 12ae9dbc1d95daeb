from typing import Any
from uuid import UUID

import pytest

from domain.agreement_draft import (
    MOST_FIELDS,
    MOST_SIGNERS,
    Draft,
    DraftSigner,
    faults_of,
    refuse_unsendable,
)
from domain.agreement_errors import AgreementFaulty

PARTY = str(UUID(int=7))
PLACE = {"page": 1, "x": 0.1, "y": 0.1, "width": 0.3, "height": 0.05}


def field(**changes: Any) -> dict[str, Any]:
    return {"key": "sign", "kind": "signature", "signer": 1, "label": "Sign", **PLACE, **changes}


def body(**changes: Any) -> dict[str, Any]:
    known = {
        "title": "Supply",
        "consent": "I agree.",
        "signers": [{"party": PARTY}],
        "fields": [field()],
    }
    return {**known, **changes}


def pointers(**changes: Any) -> list[str]:
    return [each.pointer for each in faults_of(body(**changes), pages=2)]


def test_a_draft_is_read() -> None:
    draft = Draft.of(body(title=" Supply "))
    assert (draft.title, draft.ordered, draft.step_up, draft.time_bound_days) == (
        "Supply",
        True,
        False,
        14,
    )
    assert draft.signers == (DraftSigner(UUID(int=7)),)
    assert pointers() == []
    assert pointers(message="", consent="", time_bound_days=366) == []
    refuse_unsendable(draft)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"message": "x" * 2001}, "/message"),
        ({"consent": 7}, "/consent"),
        ({"ordered": "yes"}, "/ordered"),
        ({"step_up": 1}, "/step_up"),
        ({"time_bound_days": 0}, "/time_bound_days"),
        ({"time_bound_days": 367}, "/time_bound_days"),
        ({"unknown": 1}, "/unknown"),
        ({"signers": [{"party": "x"}]}, "/signers/0/party"),
        ({"signers": [{"party": 7}]}, "/signers/0/party"),
        ({"signers": [{"party": PARTY, "signs": "no"}]}, "/signers/0/signs"),
        ({"signers": [{"party": PARTY, "x": 1}]}, "/signers/0/x"),
        ({"signers": [{"party": PARTY}] * 2}, "/signers/1"),
        ({"signers": [{"party": str(UUID(int=each))} for each in range(11)]}, "/signers"),
        ({"fields": [field(page=3)]}, "/fields/0/page"),
        ({"fields": [field(page=0)]}, "/fields/0/page"),
        ({"fields": [field(x=-0.1)]}, "/fields/0/x"),
        ({"fields": [field(x=True)]}, "/fields/0/x"),
        ({"fields": [field(width="0.2")]}, "/fields/0/width"),
        ({"fields": [field(width=0.001)]}, "/fields/0/width"),
        ({"fields": [field(x=0.8)]}, "/fields/0/width"),
        ({"fields": [field(y=0.99)]}, "/fields/0/height"),
        ({"fields": [field(kind="stamp")]}, "/fields/0/kind"),
        ({"fields": [field(label="")]}, "/fields/0/label"),
        ({"fields": [field(key="A b")]}, "/fields/0/key"),
        ({"fields": [field(), field()]}, "/fields/1"),
        ({"fields": [field(signer=2)]}, "/fields/0/signer"),
        ({"fields": [field(signer="1")]}, "/fields/0/signer"),
        ({"fields": [field(value="x")]}, "/fields/0/value"),
        ({"fields": [field(kind="text", value="x")]}, "/fields/0/value"),
        ({"fields": [field(signer=None)]}, "/fields/0/signer"),
        ({"fields": [field(signer=None, kind="text")]}, "/fields/0/value"),
        ({"fields": [field(required="no")]}, "/fields/0/required"),
        ({"fields": [field(extra=1)]}, "/fields/0/extra"),
        (
            {"signers": [{"party": PARTY, "signs": False}], "fields": [field()]},
            "/fields/0/signer",
        ),
    ],
)
def test_each_fault_is_named_at_its_place(changes: dict[str, Any], pointer: str) -> None:
    assert pointer in pointers(**changes)


def test_what_the_company_filled_in_is_no_fault() -> None:
    assert pointers(fields=[field(kind="text", signer=None, value="100 EUR")]) == []


def test_there_are_limits_to_signers_and_fields() -> None:
    many = [field(key=f"f{each}") for each in range(MOST_FIELDS + 1)]
    assert "/fields" in pointers(fields=many)
    assert MOST_SIGNERS == 10


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"consent": " "}, ["/consent"]),
        ({"signers": [], "fields": []}, ["/signers"]),
        ({"fields": []}, ["/signers/0/signature"]),
        ({"fields": [field(required=False)]}, ["/signers/0/signature"]),
        ({"fields": [field(kind="initials")]}, ["/signers/0/signature"]),
        ({"fields": [field(required=False), field(key="more")]}, []),
        (
            {"signers": [{"party": PARTY}, {"party": str(UUID(int=8))}]},
            ["/signers/1/signature"],
        ),
        ({"signers": [{"party": PARTY, "signs": False}], "fields": []}, []),
    ],
)
def test_what_cannot_be_sent_says_why(changes: dict[str, Any], found: list[str]) -> None:
    draft = Draft.of(body(**changes))
    if not found:
        refuse_unsendable(draft)
        return
    with pytest.raises(AgreementFaulty) as refused:
        refuse_unsendable(draft)
    assert [each.pointer for each in refused.value.faults] == found


def test_who_cannot_be_mailed_is_named() -> None:
    draft = Draft.of(body())
    with pytest.raises(AgreementFaulty) as refused:
        refuse_unsendable(draft, frozenset({draft.signers[0].party_id}))
    assert [each.pointer for each in refused.value.faults] == ["/signers/0/email"]
