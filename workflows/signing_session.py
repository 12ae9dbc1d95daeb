"""One signer's window at one task, from first opened to signed, or to the session's end."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signing_session import SigningSessionActivities
    from domain.messages import (
        Revoked,
        SigningLeft,
        SigningMoment,
        SigningOutcome,
        SigningSessionStart,
        SigningTakenOver,
    )
    from domain.signing_session import SigningWatch
    from domain.workflow_names import LEFT, REVOKE, SIGNING_SESSION, TAKE_OVER
    from workflows.options import LOOK


@workflow.defn(name=SIGNING_SESSION)
class SigningSessionWorkflow:
    """Makes a silent window's end act. What a window does goes to the row, never here."""

    @workflow.init
    def __init__(self, start: SigningSessionStart) -> None:
        """Messages may come before `run` does anything, so the watch is set here."""
        self._signing_id = start.signing_id
        self._watch = SigningWatch.of(start)

    @workflow.run
    async def run(self, start: SigningSessionStart) -> SigningOutcome:  # noqa: ARG002 - see __init__
        """Ends with the public session, or once the task is done."""
        while True:
            await self._wait_until_due()
            asked = self._watch.fence
            # A local activity: an idle period is six events of history, not eleven.
            checked = await workflow.execute_local_activity_method(
                SigningSessionActivities.check_window,
                SigningMoment(self._signing_id, workflow.now()),
                **LOOK,
            )
            if checked.due_at is None:
                return SigningOutcome(checked.fence)
            self._watch = self._watch.adopting(asked, checked)

    async def _wait_until_due(self) -> None:
        armed = self._watch.due_at
        try:
            await workflow.wait_condition(
                lambda: self._watch.told_over or self._watch.due_at < armed,
                timeout=max(armed - workflow.now(), timedelta()),
            )
        except TimeoutError:
            return

    @workflow.signal(name=TAKE_OVER)
    def take_over(self, told: SigningTakenOver) -> None:
        """A window was opened, the first or another."""
        self._watch = self._watch.hearing_window(told)

    @workflow.signal(name=LEFT)
    def left(self, told: SigningLeft) -> None:
        """The holder closed its window: nothing ends before its time, and it may come back."""

    @workflow.signal(name=REVOKE)
    def revoke(self, told: Revoked) -> None:  # noqa: ARG002 - a signal's message is its type
        """It was signed, or the session is over."""
        self._watch = self._watch.hearing_end()
