"""Sessions outlive releases: today's workflows replay every recorded history."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError
from typing_extensions import override

import worker
from activities.housekeeping import HousekeepingActivities
from activities.mail import MailActivities
from activities.public_session import PublicSessionActivities
from domain.housekeeping import Housekept
from domain.messages import (
    HousekeepingStart,
    MailAttempt,
    MailOutcome,
    MailStart,
    PublicSessionOutcome,
    PublicSessionStart,
    UploadChecked,
    UploadCheckStart,
)
from domain.workflow_names import HOUSEKEEPING, MAIL, PUBLIC_SESSION, UPLOAD_CHECK
from workflows.agreement import AgreementWorkflow
from workflows.housekeeping import FROM_SCHEDULE, HousekeepingWorkflow
from workflows.mail import MailWorkflow
from workflows.options import COMMIT, SMTP
from workflows.public_session import PublicSessionWorkflow
from workflows.signing_session import SigningSessionWorkflow
from workflows.upload_check import UploadCheckWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
OUTCOMES = {"completed", "expired", "declined", "revoked", "extended", "sent", "refused"}
OUTCOMES |= {"done", "step_failed", "ready", "infected", "cancelled", "signed", "bound"}


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


def of(noun: str) -> list[WorkflowHistory]:
    return [history(each) for each in HISTORIES if each.stem.startswith(noun)]


def test_there_is_a_history_of_every_outcome() -> None:
    recorded = {each.stem.partition("-")[2] for each in HISTORIES}
    assert recorded >= OUTCOMES
    ends = {outcome(each).get("end_reason") for each in of("public_session")}
    assert ends >= {"completed", "bound_reached", "declined", "revoked"}


def outcome(recorded: WorkflowHistory) -> dict[str, Any]:
    """What the workflow ended with, as written in its last event."""
    last = recorded.events[-1].workflow_execution_completed_event_attributes
    payloads = last.result.payloads
    return json.loads(payloads[0].data) if payloads else {}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_todays_workflows_replay_it(path: Path) -> None:
    replayer = Replayer(
        workflows=[
            PublicSessionWorkflow,
            MailWorkflow,
            HousekeepingWorkflow,
            UploadCheckWorkflow,
            AgreementWorkflow,
            SigningSessionWorkflow,
        ],
        workflow_runner=worker.sandbox(),
        interceptors=worker.INTERCEPTORS,
    )
    await replayer.replay_workflow(history(path))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_history_names_no_machine_and_holds_nothing_captured(path: Path) -> None:
    recorded = history(path)
    payloads = b" ".join(
        each.data for event in recorded.events for each in _payloads(event)
    ).decode()
    text = path.read_text() + payloads
    assert set(re.findall(r'"identity": "([^"]*)"', text)) == {"recorder"}
    assert not re.search(
        r"/home|/root|/work|/tmp|\.local|vendor\.example|ACME|try again|no such", text
    )


def _payloads(event: Any) -> list[Any]:
    """Every payload of an event, wherever it is."""
    found = []
    for _, value in event.ListFields():
        if hasattr(value, "payloads"):
            found += value.payloads
        elif hasattr(value, "ListFields"):
            found += _payloads(value)
    return found


# Deliberate breaks: what a careless change would do. Each must be caught.


@workflow.defn(name=PUBLIC_SESSION)
class RemovedActivity(PublicSessionWorkflow):
    """Settles without the activity."""

    @workflow.init
    def __init__(self, start: PublicSessionStart) -> None:
        super().__init__(start)

    @override
    @workflow.run
    async def run(self, start: PublicSessionStart) -> PublicSessionOutcome:
        return await super().run(start)

    @override
    async def _settle(self) -> PublicSessionOutcome | None:
        over = self._watch.over
        return PublicSessionOutcome(str(over), "none")


@workflow.defn(name=PUBLIC_SESSION)
class OtherOrder(PublicSessionWorkflow):
    """Looks at the bound before it carries anything else."""

    @workflow.init
    def __init__(self, start: PublicSessionStart) -> None:
        super().__init__(start)

    @override
    @workflow.run
    async def run(self, start: PublicSessionStart) -> PublicSessionOutcome:
        await self._check_bound()
        return await super().run(start)


@workflow.defn(name=PUBLIC_SESSION)
class AddedTimer(PublicSessionWorkflow):
    """Waits a little before it settles."""

    @workflow.init
    def __init__(self, start: PublicSessionStart) -> None:
        super().__init__(start)

    @override
    @workflow.run
    async def run(self, start: PublicSessionStart) -> PublicSessionOutcome:
        return await super().run(start)

    @override
    async def _settle(self) -> PublicSessionOutcome | None:
        await workflow.sleep(timedelta(seconds=1))
        return await super()._settle()


@workflow.defn(name=PUBLIC_SESSION)
class RemovedTimer(PublicSessionWorkflow):
    """Waits for an end without any deadline."""

    @workflow.init
    def __init__(self, start: PublicSessionStart) -> None:
        super().__init__(start)

    @override
    @workflow.run
    async def run(self, start: PublicSessionStart) -> PublicSessionOutcome:
        return await super().run(start)

    @override
    async def _wait_until_over_or_due(self) -> None:
        await workflow.wait_condition(lambda: self._watch.over is not None)


@workflow.defn(name=PUBLIC_SESSION)
class OtherActivity(PublicSessionWorkflow):
    """Settles by asking about the bound."""

    @workflow.init
    def __init__(self, start: PublicSessionStart) -> None:
        super().__init__(start)

    @override
    @workflow.run
    async def run(self, start: PublicSessionStart) -> PublicSessionOutcome:
        return await super().run(start)

    @override
    async def _settle(self) -> PublicSessionOutcome | None:
        checked = await workflow.execute_activity_method(
            PublicSessionActivities.check_bound, self._moment(), **COMMIT
        )
        return PublicSessionOutcome(str(checked.end_reason), "none")


@workflow.defn(name=MAIL)
class Impatient(MailWorkflow):
    """Tries again at once, without a timer."""

    @override
    @workflow.run
    async def run(self, start: MailStart) -> MailOutcome:
        attempt = 0
        while True:
            attempt += 1
            tried = await workflow.execute_activity_method(
                MailActivities.attempt,
                MailAttempt(start.mail_id, workflow.now(), attempt),
                **SMTP,
            )
            if tried.again_at is None:
                return MailOutcome(tried.state)


@workflow.defn(name=HOUSEKEEPING)
class GivesUp(HousekeepingWorkflow):
    """Ends without a single step."""

    @override
    @workflow.run
    async def run(self, start: HousekeepingStart = FROM_SCHEDULE) -> Housekept:
        await workflow.execute_activity_method(
            HousekeepingActivities.plan_housekeeping, start, **COMMIT
        )
        return Housekept()


@workflow.defn(name=UPLOAD_CHECK)
class Credulous(UploadCheckWorkflow):
    """Takes every file for clean."""

    @override
    @workflow.run
    async def run(self, start: UploadCheckStart) -> UploadChecked:
        return UploadChecked("ready")


BREAKS = [
    (RemovedActivity, "public_session"),
    (OtherOrder, "public_session"),
    (AddedTimer, "public_session"),
    (RemovedTimer, "public_session"),
    (OtherActivity, "public_session"),
    (Impatient, "mail-sent"),
    (GivesUp, "housekeeping"),
    (Credulous, "upload_check"),
]


@pytest.mark.parametrize(("broken", "noun"), BREAKS, ids=lambda each: getattr(each, "__name__", ""))
async def test_a_deliberate_break_is_caught(broken: type, noun: str) -> None:
    replayer = Replayer(
        workflows=[broken],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=worker.INTERCEPTORS,
    )
    failures = [
        (await replayer.replay_workflow(each, raise_on_replay_failure=False)).replay_failure
        for each in of(noun)
    ]
    assert any(isinstance(each, NondeterminismError) for each in failures)
