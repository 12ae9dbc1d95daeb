from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agreement_field import AgreementField, FieldKind, Mark
from domain.agreement_version import AgreementVersion, Change, changes, kept

PLACE = {"page": 1, "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.05}
PRICE = AgreementField("price", FieldKind.TEXT, None, "Price", **PLACE, value="100 EUR")  # type: ignore[arg-type]
TITLE = AgreementField("title", FieldKind.TEXT, 1, "Title", **PLACE)  # type: ignore[arg-type]
OTHERS = AgreementField("other", FieldKind.SIGNATURE, 2, "Other", **PLACE)  # type: ignore[arg-type]
ONE = AgreementVersion("Supply", "aa", ("p1", "p2"), (PRICE, TITLE, OTHERS), "I agree.")


def test_the_same_content_has_the_same_hash_and_another_has_another() -> None:
    # EX-20
    assert ONE.sha256 == replace(ONE).sha256
    others = (
        replace(ONE, title="Supplies"),
        replace(ONE, paper_sha256="ab"),
        replace(ONE, consent="I do agree."),
        replace(ONE, fields=(PRICE, TITLE)),
        replace(ONE, fields=(replace(PRICE, value="101 EUR"), TITLE, OTHERS)),
        replace(ONE, fields=(replace(PRICE, x=0.11), TITLE, OTHERS)),
    )
    assert len({ONE.sha256, *(each.sha256 for each in others)}) == len(others) + 1


def test_nothing_changed_is_nothing_to_confirm() -> None:
    assert changes(ONE, ONE) == ()


def test_each_change_is_named_with_before_and_after() -> None:
    # N7, EX-19: not a hash notice, but what was changed.
    new = replace(
        ONE,
        title="Supplies",
        consent="I do agree.",
        pages=("p1", "p2b", "p3"),
        fields=(replace(PRICE, value="120 EUR"), OTHERS, replace(TITLE, key="role", label="Role")),
    )
    assert changes(ONE, new) == (
        Change("title", "title", "", "Supply", "Supplies"),
        Change("consent", "consent", "", "I agree.", "I do agree."),
        Change("page-2", "page", "2", "p2", "p2b"),
        Change("page-3", "page", "3", "", "p3"),
        Change("field-price", "field_changed", "Price", PRICE, replace(PRICE, value="120 EUR")),
        Change("field-title", "field_removed", "Title", TITLE, ""),
        Change("field-role", "field_added", "Role", "", replace(TITLE, key="role", label="Role")),
    )


def test_a_page_that_is_gone_is_a_change() -> None:
    (gone,) = changes(ONE, replace(ONE, pages=("p1",)))
    assert gone == Change("page-2", "page", "2", "p2", "")


@pytest.mark.parametrize(
    ("changed", "members"),
    [
        ({"kind": FieldKind.DATE}, {"kind"}),
        ({"required": False}, {"required"}),
        ({"label": "I guarantee all debts"}, {"label"}),
        ({"signer": 1}, {"signer"}),
        ({"kind": FieldKind.DATE, "required": False, "x": 0.5}, {"kind", "required", "x"}),
    ],
)
@pytest.mark.parametrize("one", [TITLE, OTHERS, PRICE])
def test_what_a_field_is_is_told_whole_whosever_it_is(
    one: AgreementField, changed: dict[str, Any], members: set[str]
) -> None:
    # N7, EX-19: another signer's field is part of what each of them signs.
    now = replace(one, **changed)
    fields = tuple(now if each is one else each for each in ONE.fields)
    found = changes(ONE, replace(ONE, fields=fields))
    if now == one:
        assert found == ()
        return
    (change,) = found
    assert change == Change(f"field-{one.key}", "field_changed", now.label, one, now)
    assert change.members == members
    assert change.is_moved == ("x" in members)


def test_a_prefilled_field_with_another_label_and_value_says_both() -> None:
    now = replace(PRICE, label="Price a year", value="120 EUR")
    (change,) = changes(ONE, replace(ONE, fields=(now, TITLE, OTHERS)))
    assert change.members == {"label", "value"}


@pytest.mark.parametrize(
    "to", [{"page": 2}, {"x": 0.5}, {"y": 0.5}, {"width": 0.5}, {"height": 0.5}]
)
def test_a_field_that_was_moved_is_a_change_of_everybodys(to: dict[str, Any]) -> None:
    moved = replace(OTHERS, **to)
    (change,) = changes(ONE, replace(ONE, fields=(PRICE, TITLE, moved)))
    assert change == Change("field-other", "field_moved", "Other", OTHERS, moved)
    assert change.members == set(to)
    assert change.is_moved


def test_a_field_of_somebody_else_is_missed_and_is_noticed() -> None:
    less = replace(ONE, fields=(PRICE, TITLE))
    assert changes(ONE, less) == (Change("field-other", "field_removed", "Other", OTHERS, ""),)
    assert changes(less, ONE) == (Change("field-other", "field_added", "Other", "", OTHERS),)


def test_another_file_that_looks_the_same_is_a_change() -> None:
    (change,) = changes(ONE, replace(ONE, paper_sha256="ab"))
    assert change == Change("paper", "paper", "", "aa", "ab")
    assert (change.members, change.is_moved) == (frozenset(), False)


def test_another_order_of_the_fields_is_a_change() -> None:
    # It is hashed; nobody sees it on the pages.
    new = replace(ONE, fields=(OTHERS, PRICE, replace(TITLE, key="role")))
    assert [each.what for each in changes(ONE, new)] == ["field_removed", "field_added", "order"]
    assert changes(ONE, new)[-1] == Change("order", "order", "", "Price\nOther", "Other\nPrice")


def test_what_is_hashed_alike_is_no_change() -> None:
    new = replace(ONE, fields=(replace(PRICE, x=PRICE.x + 1e-9), TITLE, OTHERS))
    assert (new.sha256, changes(ONE, new)) == (ONE.sha256, ())


FRACTIONS = st.sampled_from([0.0, -0.0, 0.1, 0.1000001, 0.100001, 0.5])
FIELDS = st.builds(
    AgreementField,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(FieldKind),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["", "Title", "Price"]),
    st.integers(1, 2),
    *[FRACTIONS] * 4,
    st.booleans(),
    st.sampled_from(["", "yes", "100 EUR"]),
)
VERSIONS = st.builds(
    AgreementVersion,
    st.sampled_from(["Supply", "Supplies"]),
    st.sampled_from(["aa", "ab"]),
    st.lists(st.sampled_from(["p1", "p2"]), max_size=2).map(tuple),
    st.lists(FIELDS, max_size=3, unique_by=lambda each: each.key).map(tuple),
    st.sampled_from(["", "I agree."]),
)


@given(VERSIONS, VERSIONS)
def test_whatever_is_hashed_otherwise_is_told(old: AgreementVersion, new: AgreementVersion) -> None:
    # N7, EX-19, EX-20: whoever signs, no version is stale with nothing to look at.
    found = changes(old, new)
    assert bool(found) or old.sha256 == new.sha256
    assert len({each.key for each in found}) == len(found)
    for each in found:
        # Fields with the same words may have changed places: the kind says so.
        assert each.before != each.after or each.what == "order"
        assert bool(each.members) == each.what.startswith("field_")


def test_what_still_fits_is_kept() -> None:
    # N7
    new = replace(ONE, fields=(PRICE, replace(TITLE, kind=FieldKind.DATE), OTHERS))
    values = {"title": "CEO", "other": {"typed": "A"}, "unknown": "x"}
    assert kept(values, ONE, new) == {"other": {"typed": "A"}, "unknown": "x"}
    assert kept(values, ONE, ONE) == values
    given_away = replace(ONE, fields=(PRICE, replace(TITLE, signer=2), OTHERS))
    assert "title" not in kept(values, ONE, given_away)
    assert ONE.fields_of(1) == (TITLE,)


@given(st.lists(st.sampled_from(["p1", "p2", "p3"]), max_size=5).map(tuple))
def test_changes_of_pages_are_exactly_those_that_differ(pages: tuple[str, ...]) -> None:
    found = {each.key for each in changes(ONE, replace(ONE, pages=pages))}
    longest = max(len(pages), 2)
    differ = {
        f"page-{at + 1}" for at in range(longest) if ONE.pages[at : at + 1] != pages[at : at + 1]
    }
    assert found == differ


def test_a_field_and_a_mark_are_read_as_they_were_written() -> None:
    raw = {"key": "title", "kind": "text", "signer": 1, "label": "Title", **PLACE}
    assert AgreementField.of(raw) == TITLE
    drawn = Mark.of({"strokes": [[[0, 0.1], [0.5, 0.2]]], "ratio": 0.5})
    assert drawn == Mark((((0.0, 0.1), (0.5, 0.2)),), 0.5)
    assert not drawn.is_empty
    assert not Mark.of({"typed": "Anna"}).is_empty
    assert Mark.of({"typed": "  "}).is_empty
