"""The editor's form as text: what is typed comes back, and means the same draft (EX-23)."""

from dataclasses import replace

import pytest

from api.agreement_form import (
    DraftForm,
    FieldRow,
    SignerRow,
    base_of,
    body_of,
    form_of,
    read_form,
)

VERA, WALT = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
BODY = {
    "title": "Supply",
    "message": "Please\nsign.",
    "consent": "I agree.",
    "ordered": True,
    "step_up": False,
    "time_bound_days": 14,
    "signers": [{"party": VERA, "signs": True}, {"party": WALT, "signs": False}],
    "fields": [
        {
            "key": "price",
            "kind": "text",
            "signer": None,
            "label": "Price",
            "page": 1,
            "x": 0.1,
            "y": 0.123456,
            "width": 0.3,
            "height": 0.05,
            "required": True,
            "value": "100 EUR",
        },
        {
            "key": "s",
            "kind": "signature",
            "signer": 1,
            "label": "Sign",
            "page": 2,
            "x": 0.0,
            "y": 0.5,
            "width": 1.0,
            "height": 0.005,
            "required": False,
        },
    ],
}


def test_a_draft_comes_back_from_its_form_unchanged() -> None:
    assert body_of(form_of(BODY)) == BODY


def test_another_order_of_signers_moves_no_field_to_somebody_else() -> None:
    form = form_of(BODY)
    swapped = replace(form, signers=(SignerRow(VERA, "2"), SignerRow(WALT, "1")))
    body = body_of(swapped)
    assert [each["party"] for each in body["signers"]] == [WALT, VERA]
    assert [each["signer"] for each in body["fields"]] == [None, 2]


def test_a_field_of_nobody_stays_a_fault() -> None:
    form = replace(form_of(BODY), signers=(SignerRow(WALT, "1"),))
    assert body_of(form)["fields"][1]["signer"] == 0


@pytest.mark.parametrize(
    ("typed", "meant"), [("12,5", 0.125), ("12.5", 0.125), ("0", 0.0), ("x", "x"), ("1e9", "1e9")]
)
def test_numbers_are_read_with_comma_or_point_or_not_at_all(typed: str, meant: object) -> None:
    form = DraftForm(fields=(FieldRow(x=typed, page="one"),), days="many")
    body = body_of(form)
    assert (body["fields"][0]["x"], body["fields"][0]["page"]) == (meant, "one")
    assert body["time_bound_days"] == "many"


def test_new_fields_get_keys_that_nobody_has() -> None:
    rows = (FieldRow(key="signature-1"), FieldRow(), FieldRow(kind="text"), FieldRow())
    keys = [each["key"] for each in body_of(DraftForm(fields=rows))["fields"]]
    assert keys == ["signature-1", "signature-2", "text-1", "signature-3"]


def test_what_no_page_sends_is_left_out() -> None:
    pairs = [
        ("title", " A\0 "),
        ("field.x.label", "no number"),
        ("field.9999999.label", "too large a number"),
        ("field.7.label", "kept"),
        ("signer.0.party", VERA),
        ("signer.1.party", WALT),
        ("signer.1.removed", "on"),
        ("nonsense", "1"),
    ]
    form = read_form(pairs)
    assert form.title == "A"
    assert [each.label for each in form.fields] == ["kept"]
    assert [each.party for each in form.signers] == [VERA]


def test_buttons_for_one_field_work_without_a_script() -> None:
    form = DraftForm(fields=(FieldRow(key="a", y="95", height="4"), FieldRow(key="b", y="low")))
    copied = form.acted("duplicate:0")
    assert copied is not None
    assert [(each.key, each.y) for each in copied.fields] == [("a", "95"), ("", "96"), ("b", "low")]
    odd = form.acted("duplicate:1")
    assert odd is not None
    assert odd.fields[2].y == "low"
    removed = form.acted("remove:0")
    assert removed is not None
    assert [each.key for each in removed.fields] == ["b"]
    added = form.acted("add")
    assert added is not None
    assert len(added.fields) == 3
    for nothing in ("save", "remove:9", "remove:x", "duplicate:", ""):
        assert form.acted(nothing) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", '{"fields": 1}', '{"fields": [1]}', '{"fields": [{}]}', "[" * 9999]
)
def test_what_a_window_says_it_was_given_is_believed_if_it_reads_as_a_draft(text: str) -> None:
    assert base_of([("base", text)]) == {}
    assert base_of([("base", '{"fields": [{"key": "a"}]}')]) == {"fields": [{"key": "a"}]}
