"""What every workflow, signal and activity of ours keeps to."""

import ast
import inspect
import json
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from temporalio.client import WorkflowHistory

from activities.agreement import AgreementActivities
from activities.housekeeping import STEPS, HousekeepingActivities, activities_of
from activities.mail import MailActivities
from activities.public_session import PublicSessionActivities
from activities.signing_session import SigningSessionActivities
from activities.upload_check import UploadCheckActivities
from tests.architecture.product import files, name_of, tree
from workflows import options
from workflows.agreement import AgreementWorkflow
from workflows.housekeeping import HousekeepingWorkflow
from workflows.mail import MailWorkflow
from workflows.public_session import PublicSessionWorkflow
from workflows.signing_session import SigningSessionWorkflow
from workflows.upload_check import UploadCheckWorkflow

BASELINE = Path(__file__).parent / "workflow_commands.txt"
HISTORIES = Path(__file__).parents[1] / "replay" / "histories"
OWNERS = (
    AgreementActivities,
    AgreementWorkflow,
    HousekeepingActivities,
    HousekeepingWorkflow,
    MailActivities,
    MailWorkflow,
    PublicSessionActivities,
    PublicSessionWorkflow,
    SigningSessionActivities,
    SigningSessionWorkflow,
    UploadCheckActivities,
    UploadCheckWorkflow,
)
MARKS = ("__temporal_activity_definition", "__temporal_signal_definition")


def messages() -> list[tuple[str, Any]]:
    """Every activity, signal and run method."""
    return [
        (f"{owner.__name__}.{name}", method)
        for owner in OWNERS
        for name, method in inspect.getmembers(owner, inspect.isfunction)
        if name == "run" or any(hasattr(method, mark) for mark in MARKS)
    ]


@pytest.mark.parametrize(("name", "method"), messages(), ids=lambda each: str(each)[:60])
def test_one_frozen_dataclass_in(name: str, method: Any) -> None:
    (argument,) = list(inspect.signature(method).parameters)[1:]
    kind = get_type_hints(method)[argument]
    assert is_dataclass(kind), f"{name} takes one dataclass"
    kept: Any = kind
    assert kept.__dataclass_params__.frozen
    assert hasattr(kind, "__slots__")
    assert kind.__module__ == "domain.messages"


def test_every_kind_of_message_is_looked_at() -> None:
    names = {name for name, _ in messages()}
    assert {"PublicSessionWorkflow.revoke", "PublicSessionActivities.settle"} <= names
    assert len(names) == 52


def test_housekeeping_does_every_step_that_it_has() -> None:
    has = {name for name, _ in messages() if name.startswith("HousekeepingActivities.")}
    does = {
        each.__qualname__
        for each in activities_of(HousekeepingActivities.__new__(HousekeepingActivities))
    }
    assert does == has
    assert len(STEPS) == len(has) - 1


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    target = call.func
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


@pytest.mark.parametrize("path", files("workflows"), ids=name_of)
def test_options_are_constants_of_one_module(path: Path) -> None:
    known = {name for name in vars(options) if name.isupper()}
    for call in calls(path):
        if called(call).startswith(("execute_activity", "start_activity", "execute_local")):
            (only,) = call.keywords
            assert only.arg is None, "options come as **CONSTANT"
            assert isinstance(only.value, ast.Name)
            assert only.value.id in known
        if path.name != "options.py":
            assert called(call) != "RetryPolicy"
            assert called(call) != "timedelta" or not (call.args or call.keywords)


def test_a_workflow_that_fails_is_nobodys_option() -> None:
    """A business end is never an execution timeout: no code would run."""
    for path in files("workflows", "commands", "adapters", "activities"):
        assert "execution_timeout" not in path.read_text(), name_of(path)


def commands_of(path: Path) -> str:
    """What a workflow asked for in a recorded history, in order."""
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    found = []
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            found.append(event.activity_task_scheduled_event_attributes.activity_type.name)
        elif event.HasField("timer_started_event_attributes"):
            found.append("timer")
        elif event.HasField("timer_canceled_event_attributes"):
            found.append("cancel timer")
        elif event.HasField("marker_recorded_event_attributes"):
            found.append(f"marker {event.marker_recorded_event_attributes.marker_name}")
        elif event.HasField("workflow_execution_completed_event_attributes"):
            found.append("complete")
    return f"{path.stem}: {', '.join(found)}"


TAUGHT = """
The commands of a recorded workflow are not those of the baseline.

Sessions that are under way replay what they did: a changed order, a new timer or another activity
stops them. Keep the old way beside the new one:

    if workflow.patched("what-changed"):
        ...  # the new way
    else:
        ...  # what sessions started before do

Then record *further* histories (`python -m tests.replay.record`), leave those of released versions
as they are, and write the lines below into workflow_commands.txt:

"""


def test_the_commands_of_each_workflow_are_those_of_the_baseline() -> None:
    found = "\n".join(commands_of(path) for path in sorted(HISTORIES.glob("*.json"))) + "\n"
    assert found == BASELINE.read_text(), TAUGHT + found


def test_histories_are_small_enough() -> None:
    for path in HISTORIES.glob("*.json"):
        events = json.loads(path.read_text())["events"]
        assert len(events) < 80, path.name
