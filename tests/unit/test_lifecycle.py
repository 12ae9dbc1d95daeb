import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import TransitionRefused
from domain.lifecycle import Known, Lifecycle, faults_of

KNOWN = Known(
    triggers={"intake": "lifecycle", "diligence": "lifecycle", "by-hand": "manual"},
    party_kinds={"intake": ("vendor",), "diligence": (), "by-hand": ()},
)


def definition(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(
        {
            "kind": "vendor",
            "initial": "new",
            "states": [
                {"key": "new", "title": "New", "issues": ["intake"]},
                {"key": "review", "issues": ["diligence"]},
                {"key": "active"},
            ],
            "transitions": [
                {"key": "look", "from": ["new"], "to": "review", "issues": ["diligence"]},
                {"key": "approve", "title": "Approve", "from": ["review", "new"], "to": "active"},
            ],
            "completions": [{"template": "intake", "transition": "look"}],
        }
        | changes
    )


def pointers(definition: dict[str, Any]) -> list[str]:
    return [each.pointer for each in faults_of(definition, KNOWN)]


def lifecycle() -> Lifecycle:
    return Lifecycle.of(definition())


def test_a_good_lifecycle_has_no_faults() -> None:
    assert faults_of(definition(), KNOWN) == ()


def test_what_a_lifecycle_issues_and_where() -> None:
    # PS-4, PS-36: passing and entering issue each template once
    each = lifecycle()
    assert each.issued_by(each.transition("look")) == ("diligence",)
    assert each.issued_by(each.transition("approve")) == ()
    assert each.state("new").issues == ("intake",)
    assert each.triggers_of("diligence") == ("enter:review", "pass:look")
    assert each.triggers_of("by-hand") == ()


def test_titles_default_to_keys() -> None:
    each = lifecycle()
    assert [state.title for state in each.states] == ["New", "review", "active"]
    assert [way.title for way in each.transitions] == ["look", "Approve"]


def test_completing_a_template_passes_its_transition() -> None:
    # PS-19
    assert lifecycle().on_completion("intake") == "look"
    assert lifecycle().on_completion("diligence") is None


def test_a_transition_starts_from_its_origins_only() -> None:
    each = lifecycle()
    assert each.passing("approve", "new").target == "active"
    with pytest.raises(TransitionRefused, match="'look' does not start from the state 'active'"):
        each.passing("look", "active")
    with pytest.raises(TransitionRefused):
        each.passing("fly", "new")


def test_every_fault_is_named_at_once() -> None:
    faulty = definition(
        kind="Vendor",
        initial="nowhere",
        colour="red",
        states=[
            {"key": "new", "issues": ["by-hand", "unknown"], "title": ""},
            {"key": "new"},
            {"key": "Bad Key", "shape": 1},
        ],
        transitions=[
            {"key": "a", "from": ["lost"], "to": "gone"},
            {"key": "a", "from": [], "to": "new", "title": 3},
        ],
        completions=[
            {"template": "nothing", "transition": "b"},
            {"template": "intake", "transition": "a", "extra": 1},
            {"template": "intake", "transition": "a"},
        ],
    )
    assert sorted(pointers(faulty)) == sorted(
        [
            "/kind",
            "/initial",
            "/colour",
            "/states/0/title",
            "/states/0/issues/0",
            "/states/0/issues/1",
            "/states/1",
            "/states/2/key",
            "/states/2/shape",
            "/transitions/0/from/0",
            "/transitions/0/to",
            "/transitions/1",
            "/transitions/1/from",
            "/transitions/1/title",
            "/completions/0/template",
            "/completions/0/transition",
            "/completions/1/extra",
            "/completions/1/template",
            "/completions/2/template",
            "/completions/2",
        ]
    )


def test_a_template_for_another_kind_of_party_is_named() -> None:
    # PS-6
    assert pointers(definition(kind="buyer")) == ["/states/0/issues/0", "/completions/0/template"]


def test_a_template_issued_by_hand_is_not_issued_by_a_lifecycle() -> None:
    # PS-4
    states = [{"key": "new", "issues": ["by-hand"]}]
    faulty = definition(states=states, transitions=[], completions=[])
    assert pointers(faulty) == ["/states/0/issues/0"]


def test_a_state_that_no_way_leads_to_is_named() -> None:
    states = [*definition()["states"], {"key": "island"}, {"key": "isle"}]
    ways = [*definition()["transitions"], {"key": "swim", "from": ["island"], "to": "isle"}]
    faulty = definition(states=states, transitions=ways)
    assert pointers(faulty) == ["/states/3", "/states/4"]


def test_a_lifecycle_needs_a_state() -> None:
    assert pointers({"kind": "vendor"}) == ["/states", "/initial"]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8))
def test_reachability_is_that_of_a_plain_search(ways: list[tuple[int, int]]) -> None:
    states = [{"key": f"s{each}"} for each in range(5)]
    transitions = [
        {"key": f"t{index}", "from": [f"s{one}"], "to": f"s{two}"}
        for index, (one, two) in enumerate(ways)
    ]
    body = definition(initial="s0", states=states, transitions=transitions, completions=[])
    reached, todo = {0}, [0]
    while todo:
        here = todo.pop()
        todo += [two for one, two in ways if one == here and two not in reached]
        reached |= {two for one, two in ways if one == here}
    assert pointers(body) == [f"/states/{each}" for each in range(5) if each not in reached]
