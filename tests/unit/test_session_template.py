import copy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.definition import DefinitionStatus
from domain.errors import ScopeRefused, TemplateNotIssuable
from domain.session_template import (
    Referable,
    Scope,
    SessionTemplate,
    check_issuable,
    faults_of,
)
from domain.task import TaskKind
from domain.upload import UploadScope

REFERABLE = Referable(forms={"profile"}, documents={"terms"})


def definition(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(
        {
            "key": "vendor-intake",
            "name": "Vendor intake",
            "description": "What we must know.",
            "trigger": "lifecycle",
            "scope": {"party_kinds": ["vendor"], "states": ["new"], "subject": "optional"},
            "time_bound_days": 14,
            "ordered": True,
            "reminders": {"days_before_end": [7, 3, 1]},
            "tasks": [
                {"key": "profile", "kind": "form", "title": "Profile", "form": "profile"},
                {
                    "key": "terms",
                    "kind": "acknowledgment",
                    "title": "Terms",
                    "document": "terms",
                    "statement": "I have read them.",
                },
                {"key": "truth", "kind": "confirmation", "title": "True", "statement": "It is."},
                {
                    "key": "again",
                    "kind": "confirmation",
                    "title": "Again",
                    "help": "Why we ask.",
                    "statement": "Still.",
                    "document": "terms",
                },
            ],
        }
        | changes
    )


def pointers(definition: dict[str, Any]) -> list[str]:
    return [each.pointer for each in faults_of(definition, REFERABLE)]


def test_a_good_template_has_no_faults() -> None:
    assert faults_of(definition(), REFERABLE) == ()


def test_a_template_sets_what_its_sessions_have_of_their_own() -> None:
    # N16, PS-35
    own = {"binding.idle": 600, "template.reminders": 0}
    assert faults_of(definition(settings=own), REFERABLE) == ()
    assert SessionTemplate.of(definition(settings=own)).settings == own
    assert SessionTemplate.of(definition()).settings == {}


@pytest.mark.parametrize("settings", [None, [], "binding.idle", 1])
def test_settings_are_an_object(settings: Any) -> None:
    assert pointers(definition(settings=settings)) == ["/settings"]


def test_every_faulty_setting_is_named_with_its_limits() -> None:
    wrong = {"binding.idle": 299, "code.life": 600, "link.invitation": 600, "binding.idel": 1}
    found = faults_of(definition(settings=wrong), REFERABLE)
    assert [(each.pointer, each.message) for each in found] == [
        ("/settings/binding.idle", "must be from 300 to 43200 seconds"),
        ("/settings/link.invitation", "is not set by a template"),
        ("/settings/binding.idel", "is not a setting"),
    ]


def test_the_value_of_a_template() -> None:
    # PS-3 to PS-6, PS-10, PS-11
    each = SessionTemplate.of(definition())
    assert (each.key, each.name, each.trigger) == ("vendor-intake", "Vendor intake", "lifecycle")
    assert each.time_bound == timedelta(days=14)
    assert each.scope == Scope(("vendor",), ("new",), "optional")
    assert (each.ordered, each.reminders) == (True, (7, 3, 1))
    assert [task.kind for task in each.tasks] == [
        TaskKind.FORM,
        TaskKind.ACKNOWLEDGMENT,
        TaskKind.CONFIRMATION,
        TaskKind.CONFIRMATION,
    ]
    assert (each.tasks[0].form, each.tasks[1].document) == ("profile", "terms")
    assert (each.tasks[2].statement, each.tasks[3].help) == ("It is.", "Why we ask.")


@pytest.mark.parametrize(("bound", "days"), [(14, (3, 1)), (3, (1,)), (1, ())])
def test_what_a_template_says_nothing_of(bound: int, days: tuple[int, ...]) -> None:
    body = definition(time_bound_days=bound)
    for name in ("trigger", "scope", "ordered", "reminders", "description"):
        del body[name]
    assert pointers(body) == []
    each = SessionTemplate.of(body)
    assert (each.trigger, each.scope, each.ordered) == ("manual", Scope(), True)
    assert each.reminders == days


def test_every_fault_is_named_at_once() -> None:
    faulty = {
        "key": "Vendor Intake",
        "name": "",
        "description": 4,
        "trigger": "moon",
        "scope": {"party_kinds": "vendor", "states": [1], "subject": "maybe", "planet": 1},
        "time_bound_days": 0,
        "ordered": "yes",
        "reminders": {"days_before_end": [4, 3, 2, 1]},
        "colour": "red",
        "tasks": [
            {"key": "a", "kind": "dance", "title": "A"},
            {"key": "a", "kind": "form", "title": "", "form": "nowhere", "document": "terms"},
            {"key": "b", "kind": "acknowledgment", "title": "B", "document": "lost", "form": "x"},
            {"key": "c", "kind": "confirmation", "title": "C", "form": "profile", "help": 1},
            {"key": "d", "kind": "form", "title": "D", "shape": 1},
            {"key": "e", "kind": "acknowledgment", "title": "E", "statement": "Yes."},
        ],
    }
    assert sorted(pointers(faulty)) == sorted(
        [
            "/key",
            "/name",
            "/description",
            "/trigger",
            "/scope/party_kinds",
            "/scope/states",
            "/scope/subject",
            "/scope/planet",
            "/time_bound_days",
            "/ordered",
            "/reminders/days_before_end",
            "/colour",
            "/tasks/0/kind",
            "/tasks/1",
            "/tasks/1/title",
            "/tasks/1/form",
            "/tasks/1/document",
            "/tasks/2/document",
            "/tasks/2/form",
            "/tasks/2/statement",
            "/tasks/3/statement",
            "/tasks/3/form",
            "/tasks/3/help",
            "/tasks/4/form",
            "/tasks/4/shape",
            "/tasks/5/document",
        ]
    )


UPLOAD_TASK: dict[str, Any] = {
    "key": "certifications",
    "kind": "upload",
    "title": "Certifications",
    "help": "As PDF.",
    "upload": {"kinds": ["pdf"], "required": [{"key": "insurance", "title": "Insurance"}]},
}


def test_a_task_that_asks_for_files() -> None:
    # PS-40
    body = definition(tasks=[UPLOAD_TASK, *definition()["tasks"]])
    assert pointers(body) == []
    task, form, *_ = SessionTemplate.of(body).tasks
    assert task.kind == TaskKind.UPLOAD
    assert task.upload == UploadScope.of(UPLOAD_TASK["upload"])
    assert form.upload is None


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"upload": None}, ["/tasks/0/upload"]),
        ({"upload": {"kinds": ["exe"]}}, ["/tasks/0/upload/kinds/0"]),
        ({"upload": {}}, ["/tasks/0/upload/kinds"]),
        (
            {"form": "profile", "document": "terms", "statement": "Yes."},
            ["/tasks/0/form", "/tasks/0/document", "/tasks/0/statement"],
        ),
        ({"kind": "form", "form": "profile"}, ["/tasks/0/upload"]),
        (
            {"kind": "acknowledgment", "document": "terms", "statement": "Yes."},
            ["/tasks/0/upload"],
        ),
        ({"kind": "confirmation", "statement": "Yes."}, ["/tasks/0/upload"]),
    ],
)
def test_uploads_belong_to_upload_tasks(changes: dict[str, Any], faults: list[str]) -> None:
    assert pointers(definition(tasks=[UPLOAD_TASK | changes])) == faults


SIGNATURE_TASK: dict[str, Any] = {
    "key": "contract",
    "kind": "signature",
    "title": "Contract",
    "document": "terms",
    "statement": "We agree.",
}
PLACED = {"key": "sign", "kind": "signature", "signer": 1, "label": "Sign", "page": 1}
PLACED |= {"x": 0.1, "y": 0.1, "width": 0.3, "height": 0.05}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"fields": [PLACED], "step_up": True}, []),
        ({"document": None}, ["/tasks/0/document"]),
        ({"document": "other"}, ["/tasks/0/document"]),
        ({"statement": ""}, ["/tasks/0/statement"]),
        ({"step_up": "yes"}, ["/tasks/0/step_up"]),
        ({"fields": [PLACED | {"page": 201}]}, ["/tasks/0/fields/0/page"]),
        ({"fields": [PLACED | {"signer": 2}]}, ["/tasks/0/fields/0/signer"]),
        ({"fields": []}, []),
        ({"fields": {}}, ["/tasks/0/fields"]),
        ({"fields": [PLACED | {"required": False}]}, ["/tasks/0/fields"]),
        ({"fields": [PLACED | {"kind": "initials"}]}, ["/tasks/0/fields"]),
        ({"form": "profile"}, ["/tasks/0/form"]),
        ({"kind": "confirmation", "step_up": True}, ["/tasks/0/step_up"]),
    ],
)
def test_a_task_that_asks_for_a_signature(changes: dict[str, Any], faults: list[str]) -> None:
    # PS-10
    assert pointers(definition(tasks=[SIGNATURE_TASK | changes])) == faults


@pytest.mark.parametrize(
    ("days", "good"),
    [(None, True), (1, True), (3650, True), (0, False), (3651, False), ("1", False)],
)
def test_captures_are_kept_for_a_time(days: Any, good: bool) -> None:
    body = definition(retention_days=days)
    assert pointers(body) == ([] if good else ["/retention_days"])
    if good:
        kept = SessionTemplate.of(body).retention
        assert kept == (timedelta(days=days) if days else None)
    assert SessionTemplate.of(definition()).retention is None


@pytest.mark.parametrize(("days", "good"), [(0, False), (1, True), (366, True), (367, False)])
def test_a_time_bound_is_a_day_to_a_year(days: int, good: bool) -> None:
    # PS-5
    assert (pointers(definition(time_bound_days=days, reminders={})) == []) is good


@pytest.mark.parametrize(
    ("reminders", "pointer"),
    [
        ({"days_before_end": [14]}, "/reminders/days_before_end/0"),
        ({"days_before_end": [1, 20]}, "/reminders/days_before_end/1"),
        ({"days_before_end": [0]}, "/reminders"),
        ({"days_before_end": [-1]}, "/reminders"),
        ({"days_before_end": [True]}, "/reminders"),
        ({"days_before_end": ["1"]}, "/reminders"),
        ({"days_before_end": 1}, "/reminders"),
        ([1], "/reminders"),
    ],
)
def test_reminders_come_whole_days_before_the_end(reminders: object, pointer: str) -> None:
    assert pointers(definition(reminders=reminders)) == [pointer]


def test_a_scope_is_an_object() -> None:
    assert pointers(definition(scope=["vendor"])) == ["/scope"]


@pytest.mark.parametrize(
    ("count", "faults"), [(0, ["/tasks"]), (1, []), (50, []), (51, ["/tasks"])]
)
def test_one_to_fifty_tasks(count: int, faults: list[str]) -> None:
    task = {"kind": "confirmation", "title": "T", "statement": "Yes."}
    tasks = [task | {"key": f"t{each}"} for each in range(count)]
    assert pointers(definition(tasks=tasks)) == faults


@pytest.mark.parametrize(
    ("status", "real", "test"),
    [
        (DefinitionStatus.DRAFT, False, True),
        (DefinitionStatus.PUBLISHED, True, True),
        (DefinitionStatus.RETIRED, False, False),
    ],
)
def test_who_a_template_issues_to(status: DefinitionStatus, real: bool, test: bool) -> None:
    # PS-35
    for test_party, allowed in ((False, real), (True, test)):
        if allowed:
            check_issuable("intake", status, test_party=test_party)
        else:
            with pytest.raises(TemplateNotIssuable) as caught:
                check_issuable("intake", status, test_party=test_party)
            assert caught.value.status == status


@pytest.mark.parametrize(
    ("scope", "party", "refused"),
    [
        (Scope(), ("vendor", "new", ""), ""),
        (Scope(("vendor", "buyer")), ("buyer", "any", ""), ""),
        (Scope(("vendor", "buyer")), ("agent", "new", ""), "'vendor' or 'buyer', not for a agent"),
        (Scope(states=("new",)), ("vendor", "new", ""), ""),
        (Scope(states=("new",)), ("vendor", "gone", ""), "state 'gone', not in 'new'"),
        (Scope(subject="required"), ("vendor", "new", "2026"), ""),
        (Scope(subject="required"), ("vendor", "new", ""), "needs a subject"),
        (Scope(subject="optional"), ("vendor", "new", ""), ""),
        (Scope(subject="optional"), ("vendor", "new", "2026"), ""),
        (Scope(subject="none"), ("vendor", "new", "2026"), "takes no subject"),
    ],
)
def test_the_scope_is_checked_at_issue(
    scope: Scope, party: tuple[str, str, str], refused: str
) -> None:
    # PS-6, PS-39
    if refused:
        with pytest.raises(ScopeRefused, match=refused):
            scope.check_issue(*party)
    else:
        scope.check_issue(*party)


def test_the_state_is_checked_again_at_completion() -> None:
    # PS-39
    Scope(("vendor",), ("new",)).check_state("new")
    with pytest.raises(ScopeRefused):
        Scope(("vendor",), ("new",)).check_state("gone")


@given(
    st.dictionaries(
        st.sampled_from([*definition(), "other"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
    )
)
def test_no_json_object_makes_the_check_fail(changes: dict[str, Any]) -> None:
    body = definition(**changes)
    if not faults_of(body, REFERABLE):
        SessionTemplate.of(body)
