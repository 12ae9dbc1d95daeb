from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.left_behind import (
    DRAWN,
    LONGEST_TEXT,
    MOST_DRAFTS,
    TICKED,
    Entry,
    LeftBehind,
    as_kept,
    draft_of,
    drafts_in,
    entries_in,
    text_of,
    with_draft,
    without,
)

ONE = LeftBehind("1", "w1", 1, "2026-03-02T10:00:00+00:00", {"title": "CEO"})
TWO = replace(ONE, id="2", window="w2", fence=2, unfit=(Entry("Start", "tomorrow"),), content={})


def test_each_window_has_a_draft_of_its_own() -> None:
    # C7, N8
    assert with_draft((ONE,), TWO) == ((ONE, TWO), ())
    again = replace(ONE, id="3", content={"title": "CFO"})
    assert with_draft((ONE, TWO), again) == ((TWO, again), ())
    others = replace(ONE, id="4", member="somebody")
    assert with_draft((ONE,), others) == ((ONE, others), ())


def test_the_oldest_is_too_many() -> None:
    many = tuple(replace(ONE, id=str(each), fence=each) for each in range(MOST_DRAFTS))
    kept, dropped = with_draft(many, replace(ONE, id="new", fence=99))
    assert dropped == many[:1]
    assert [each.id for each in kept] == [*(each.id for each in many[1:]), "new"]


def test_one_is_found_and_taken_away() -> None:
    assert draft_of((ONE, TWO), "2") == TWO
    assert draft_of((ONE, TWO), "3") is None
    assert without((ONE, TWO), "1") == (TWO,)


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ({}, ()),
        ([], ()),
        (as_kept((ONE, TWO)), (ONE, TWO)),
        (
            {"fence": 3, "at": "t", "values": {"title": "CEO"}},
            (LeftBehind("first", "", 3, "t", {"title": "CEO"}),),
        ),
        (
            {"fence": 3, "member": "m", "at": "t", "changes": {"title": "Mine"}},
            (LeftBehind("first", "", 3, "t", {"title": "Mine"}, member="m"),),
        ),
        ([{"id": "1"}], (LeftBehind("1", "", 0, "", {}),)),
    ],
)
def test_what_a_release_before_kept_is_read(kept: Any, found: Any) -> None:
    assert drafts_in(kept) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" CEO ", "CEO"),
        ("x" * (LONGEST_TEXT + 1), "x" * LONGEST_TEXT),
        (True, TICKED),
        (False, ""),
        (7, ""),
        ({"typed": "Vera"}, "Vera"),
        ({"strokes": [[[0.1, 0.1]]]}, DRAWN),
        ({"strokes": "unreadable"}, ""),
        ({"strokes": []}, ""),
    ],
)
def test_what_was_entered_reads_as_text(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_what_does_not_fit_is_what_is_known_and_not_among_what_fits() -> None:
    labels = {"start": "Start", "title": "Title", "empty": "Empty", "other": "Other"}
    values = {"start": "tomorrow", "title": "CEO", "empty": "", "nobodys": "x"}
    assert entries_in(labels, values, {"title": "CEO"}) == (Entry("Start", "tomorrow"),)
    assert TWO.count == 1
    assert replace(ONE, labels={"title": "Title"}).entries == (Entry("Title", "CEO"),)
    assert ONE.entries == (Entry("title", "CEO"),)


DRAFTS = st.builds(
    LeftBehind,
    st.uuids().map(str),
    st.sampled_from(["w1", "w2", "w3"]),
    st.integers(1, 6),
    st.just(""),
    st.just({"title": "CEO"}),
)


@given(st.lists(DRAFTS, max_size=25))
def test_whatever_comes_only_a_windows_own_is_replaced(saves: list[LeftBehind]) -> None:
    # N8: every draft that is there no more was saved anew by its own window, or is told as dropped.
    drafts: tuple[LeftBehind, ...] = ()
    dropped: list[LeftBehind] = []
    for each in saves:
        drafts, gone = with_draft(drafts, each)
        dropped.extend(gone)
        assert len(drafts) <= MOST_DRAFTS
        assert each in drafts
    last = {each.origin: each for each in saves}
    assert set(last) == {each.origin for each in (*drafts, *dropped)}
    assert all(last[each.origin] == each for each in drafts)
