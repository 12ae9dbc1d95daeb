"""One public session, from issue to settled."""

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.public_session import PublicSessionActivities
    from domain.messages import (
        DeadlineMoved,
        Declined,
        PublicSessionOutcome,
        PublicSessionStart,
        ReminderDue,
        Revoked,
        SessionMoment,
        TakenOver,
        TaskCompleted,
    )
    from domain.public_session import EndReason
    from domain.watch import Watch
    from domain.workflow_names import (
        DEADLINE_MOVED,
        DECLINED,
        PUBLIC_SESSION,
        REVOKE,
        TAKE_OVER,
        TASK_COMPLETED,
    )
    from workflows.options import COMMIT


@workflow.defn(name=PUBLIC_SESSION)
class PublicSessionWorkflow:
    """Carries what SQL decided; its timers make an end act, they do not make it true."""

    @workflow.init
    def __init__(self, start: PublicSessionStart) -> None:
        """Messages may come before `run` does anything, so the watch is set here."""
        self._session_id = start.session_id
        self._watch = Watch.of(start)
        self._ordered_to_revoke = False

    @workflow.run
    async def run(self, start: PublicSessionStart) -> PublicSessionOutcome:  # noqa: ARG002 - see __init__
        """Ends once everything that follows the session's end is done."""
        while True:
            await self._wait_until_over_or_due()
            if self._ordered_to_revoke:
                await self._carry_revocation()
            if self._watch.over:
                outcome = await self._settle()
                if outcome is not None:
                    return outcome
            else:
                await self._do_what_is_due()

    async def _wait_until_over_or_due(self) -> None:
        armed = self._watch.next_due()
        try:
            await workflow.wait_condition(
                lambda: self._needs_attention(armed),
                timeout=max(armed - workflow.now(), timedelta()),
            )
        except TimeoutError:
            return

    def _needs_attention(self, armed: datetime) -> bool:
        sooner = self._watch.next_due() < armed
        return self._ordered_to_revoke or self._watch.over is not None or sooner

    async def _carry_revocation(self) -> None:
        self._ordered_to_revoke = False
        await workflow.execute_activity_method(
            PublicSessionActivities.carry_revocation, self._moment(), **COMMIT
        )
        self._watch = self._watch.hearing_end(EndReason.REVOKED)

    async def _settle(self) -> PublicSessionOutcome | None:
        # Told of an end that the row may not know: the row is right, and None goes on waiting.
        self._watch = self._watch.asking_the_row()
        return await workflow.execute_activity_method(
            PublicSessionActivities.settle, self._moment(), **COMMIT
        )

    async def _do_what_is_due(self) -> None:
        now = workflow.now()
        if now >= self._watch.expires_at:
            await self._check_bound()
        elif self._watch.reminder_due(now):
            await self._remind(now)
        elif self._watch.idle_due(now):
            await self._check_idle()

    async def _check_bound(self) -> None:
        checked = await workflow.execute_activity_method(
            PublicSessionActivities.check_bound, self._moment(), **COMMIT
        )
        if checked.end_reason is None:
            self._watch = self._watch.adopting_deadline(checked.expires_at)
        else:
            self._watch = self._watch.hearing_end(EndReason(checked.end_reason))

    async def _remind(self, now: datetime) -> None:
        slot = max(each for each in self._watch.reminders if each <= now)
        self._watch = self._watch.past_reminders(now)
        await workflow.execute_activity_method(
            PublicSessionActivities.remind, ReminderDue(self._session_id, slot, now), **COMMIT
        )

    async def _check_idle(self) -> None:
        asked = self._watch.fence
        checked = await workflow.execute_activity_method(
            PublicSessionActivities.check_idle, self._moment(), **COMMIT
        )
        self._watch = self._watch.adopting_idle(asked, checked.fence, checked.idle_at)

    def _moment(self) -> SessionMoment:
        return SessionMoment(self._session_id, workflow.now())

    @workflow.signal(name=TASK_COMPLETED)
    def task_completed(self, told: TaskCompleted) -> None:
        """A task was completed."""
        self._watch = self._watch.hearing_task(told)

    @workflow.signal(name=TAKE_OVER)
    def take_over(self, told: TakenOver) -> None:
        """A browser was bound, the first or another."""
        self._watch = self._watch.hearing_binding(told)

    @workflow.signal(name=REVOKE)
    def revoke(self, told: Revoked) -> None:
        """Revoked or re-issued; without a fact behind it, an operator's order to revoke."""
        if not told.fact_id:
            self._ordered_to_revoke = True
            return
        reason = EndReason.REISSUED if told.reissued else EndReason.REVOKED
        self._watch = self._watch.hearing_end(reason)

    @workflow.signal(name=DECLINED)
    def declined(self, told: Declined) -> None:  # noqa: ARG002 - a signal's message is its type
        """The party declined."""
        self._watch = self._watch.hearing_end(EndReason.DECLINED)

    @workflow.signal(name=DEADLINE_MOVED)
    def deadline_moved(self, told: DeadlineMoved) -> None:
        """The deadline was moved later."""
        self._watch = self._watch.hearing_deadline(told)
