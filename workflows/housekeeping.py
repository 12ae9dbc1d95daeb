"""One run of housekeeping: every step once, whatever becomes of the others."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.housekeeping import STEPS, HousekeepingActivities
    from domain.housekeeping import Housekept
    from domain.messages import HousekeepingStart, SweepDue
    from domain.workflow_names import HOUSEKEEPING
    from workflows.options import COMMIT, SWEEP

STEP = {each.__name__: each for each in STEPS}
FROM_SCHEDULE = HousekeepingStart()


@workflow.defn(name=HOUSEKEEPING)
class HousekeepingWorkflow:
    """Asks which steps there are, so that a release that adds one replays the runs before it."""

    @workflow.run
    async def run(self, start: HousekeepingStart = FROM_SCHEDULE) -> Housekept:
        """Ends with what each step did; the next run goes on where this one stopped."""
        plan = await workflow.execute_activity_method(
            HousekeepingActivities.plan_housekeeping, start, **COMMIT
        )
        before = workflow.get_last_completion_result(Housekept)
        done = Housekept(cursors=before.cursors if before else {})
        for step in plan.steps:
            done = await self._after(step, done)
        workflow.logger.info("housekept %s, failed %s", done.counts, done.failed)
        return done

    async def _after(self, step: str, done: Housekept) -> Housekept:
        due = SweepDue(workflow.now(), done.cursors.get(step, ""))
        try:
            swept = await workflow.execute_activity_method(STEP[step], due, **SWEEP)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return done.failing(step)
        return done.having(step, swept)
