"""One mail, from queued to sent or refused."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.mail import MailActivities
    from domain.messages import MailAttempt, MailOutcome, MailStart
    from domain.workflow_names import MAIL
    from workflows.options import SMTP


@workflow.defn(name=MAIL)
class MailWorkflow:
    """Tries until the mail is sent or refused; each wait is a timer, so that it is visible."""

    @workflow.run
    async def run(self, start: MailStart) -> MailOutcome:
        """Ends with the mail's state."""
        attempt = 1
        while True:
            tried = await workflow.execute_activity_method(
                MailActivities.attempt,
                MailAttempt(start.mail_id, workflow.now(), attempt),
                **SMTP,
            )
            if tried.again_at is None:
                return MailOutcome(tried.state)
            await workflow.sleep(max(tried.again_at - workflow.now(), timedelta()))
            attempt += 1
