"""What a window has that is not saved: nothing is lost, nothing is merged by itself (N8, EX-17)."""

from domain.agreement_unsaved import Difference, applied, differences, unsaved


def field(key: str, label: str, **more: object) -> dict[str, object]:
    return {"key": key, "label": label, **more}


BASE = {"title": "One", "message": "", "fields": [field("a", "A"), field("b", "B")]}


def test_nothing_changed_is_nothing_unsaved() -> None:
    same = BASE | {"fields": [field("b", "B", value=""), field("a", "A")]}
    assert unsaved(BASE, same) == {}
    assert differences(BASE, same) == ()


def test_members_and_single_fields_are_told_apart() -> None:
    typed = BASE | {"title": "Two", "fields": [field("a", "Other"), field("c", "C")]}
    changes = unsaved(BASE, typed)
    assert changes == {
        "title": "Two",
        "fields": {"a": field("a", "Other"), "c": field("c", "C"), "b": None},
    }
    assert applied(BASE, changes) == typed


def test_changes_of_two_people_at_two_places_both_stay() -> None:
    mine = unsaved(BASE, BASE | {"fields": [field("a", "Mine"), field("b", "B")]})
    saved = BASE | {"message": "Hello", "fields": [field("a", "A"), field("b", "Theirs")]}
    both = applied(saved, mine)
    assert both["message"] == "Hello"
    assert both["fields"] == [field("a", "Mine"), field("b", "Theirs")]


def test_both_values_stand_side_by_side() -> None:
    saved = BASE | {"title": "Theirs", "fields": [field("b", "B")]}
    assert differences(BASE | {"title": "Mine"}, saved) == (
        Difference("title", "Mine", "Theirs"),
        Difference("field-a", field("a", "A"), None),
    )
    assert [each.is_field for each in differences(BASE, saved)] == [False, True]


def test_what_no_draft_has_is_not_put_upon_it() -> None:
    assert applied({"fields": []}, {"state": "done"}) == {"fields": []}
