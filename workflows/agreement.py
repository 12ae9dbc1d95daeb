"""One agreement, from sent to done: who is asked next, sealing, copies to everyone."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.agreement import AgreementActivities
    from domain.agreement import NextStep
    from domain.messages import (
        AgreementMoment,
        AgreementNews,
        AgreementOutcome,
        AgreementStart,
    )
    from domain.workflow_names import AGREEMENT, CANCELLED, CHANGED, DECLINED, SIGNED
    from workflows.options import COMMIT, LOOKS_AGAIN_AFTER, SEAL


@workflow.defn(name=AGREEMENT)
class AgreementWorkflow:
    """Never "all have signed, but pending": sealing is a step of this, retried until it is done."""

    @workflow.init
    def __init__(self, start: AgreementStart) -> None:
        """Messages may come before `run` does anything."""
        self._agreement_id = start.agreement_id
        self._news = 0

    @workflow.run
    async def run(self, start: AgreementStart) -> AgreementOutcome:  # noqa: ARG002 - see __init__
        """Ends once everybody has the sealed document, or it was cancelled."""
        while True:
            heard = self._news
            step = await workflow.execute_activity_method(
                AgreementActivities.advance, self._moment(), **COMMIT
            )
            if step.step == NextStep.SEAL:
                await workflow.execute_activity_method(
                    AgreementActivities.seal, self._moment(), **SEAL
                )
            elif step.step == NextStep.WAIT:
                await self._wait_for_news(heard)
            else:
                return await workflow.execute_activity_method(
                    AgreementActivities.finish, self._moment(), **COMMIT
                )

    async def _wait_for_news(self, heard: int) -> None:
        try:
            await workflow.wait_condition(lambda: self._news > heard, timeout=LOOKS_AGAIN_AFTER)
        except TimeoutError:
            return

    def _moment(self) -> AgreementMoment:
        return AgreementMoment(self._agreement_id, workflow.now())

    @workflow.signal(name=SIGNED)
    def signed(self, told: AgreementNews) -> None:  # noqa: ARG002 - a signal's message is its type
        """A signer has signed."""
        self._news += 1

    @workflow.signal(name=DECLINED)
    def declined(self, told: AgreementNews) -> None:
        """A signer will not sign: the sender is told by the public session; nothing else moves."""

    @workflow.signal(name=CHANGED)
    def changed(self, told: AgreementNews) -> None:
        """There is a new version: open windows hear of it by themselves."""

    @workflow.signal(name=CANCELLED)
    def cancelled(self, told: AgreementNews) -> None:  # noqa: ARG002 - as above
        """It was cancelled."""
        self._news += 1
