from dataclasses import replace

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
    assert changes(ONE, ONE, 1) == ()


def test_each_change_is_named_with_before_and_after() -> None:
    # N7, EX-19: not a hash notice, but what was changed.
    new = replace(
        ONE,
        title="Supplies",
        consent="I do agree.",
        pages=("p1", "p2b", "p3"),
        fields=(replace(PRICE, value="120 EUR"), OTHERS, replace(TITLE, key="role", label="Role")),
    )
    assert changes(ONE, new, 1) == (
        Change("title", "title", "", "Supply", "Supplies"),
        Change("consent", "consent", "", "I agree.", "I do agree."),
        Change("page-2", "page", "2", "p2", "p2b"),
        Change("page-3", "page", "3", "", "p3"),
        Change("field-price", "value", "Price", "100 EUR", "120 EUR"),
        Change("field-title", "field_removed", "Title", "Title", ""),
        Change("field-role", "field_added", "Role", "", "Role"),
    )


def test_a_page_that_is_gone_is_a_change() -> None:
    (gone,) = changes(ONE, replace(ONE, pages=("p1",)), 1)
    assert gone == Change("page-2", "page", "2", "p2", "")


def test_a_field_that_was_moved_is_a_change_of_its_signer_alone() -> None:
    moved = replace(ONE, fields=(PRICE, TITLE, replace(OTHERS, x=0.5)))
    assert changes(ONE, moved, 1) == ()
    assert [each.what for each in changes(ONE, moved, 2)] == ["field_changed"]


def test_what_still_fits_is_kept() -> None:
    # N7
    new = replace(ONE, fields=(PRICE, replace(TITLE, kind=FieldKind.DATE), OTHERS))
    values = {"title": "CEO", "other": {"typed": "A"}, "unknown": "x"}
    assert kept(values, ONE, new) == {"other": {"typed": "A"}, "unknown": "x"}
    assert kept(values, ONE, ONE) == values
    assert ONE.fields_of(1) == (TITLE,)


@given(st.lists(st.sampled_from(["p1", "p2", "p3"]), max_size=5).map(tuple))
def test_changes_of_pages_are_exactly_those_that_differ(pages: tuple[str, ...]) -> None:
    found = {each.key for each in changes(ONE, replace(ONE, pages=pages), 1)}
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
