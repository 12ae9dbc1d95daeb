"""One uploaded file, from received to known as clean, infected or too large to tell."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.upload_check import UploadCheckActivities
    from domain.messages import UploadCheckDue, UploadChecked, UploadCheckStart
    from domain.workflow_names import UPLOAD_CHECK
    from workflows.options import SCAN


@workflow.defn(name=UPLOAD_CHECK)
class UploadCheckWorkflow:
    """Asks until there is an answer; meanwhile the file reads as being checked."""

    @workflow.run
    async def run(self, start: UploadCheckStart) -> UploadChecked:
        """Ends with the file's state."""
        return await workflow.execute_activity_method(
            UploadCheckActivities.check_upload,
            UploadCheckDue(start.upload_id, workflow.now()),
            **SCAN,
        )
