"""Signals tell and never fail: an exception in a handler is dropped, counted and logged.

Raised, it would fail the workflow's task again and again, or the whole workflow.
"""

from temporalio import workflow
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from typing_extensions import override

DROPPED = "gatepass_signals_dropped"


class SignalsNeverFail(Interceptor):
    """The worker's workflow interceptor."""

    @override
    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,
    ) -> type[WorkflowInboundInterceptor]:
        """Wraps every workflow."""
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    @override
    async def handle_signal(self, input: HandleSignalInput) -> None:
        try:
            await super().handle_signal(input)
        except Exception:  # noqa: BLE001 - whatever it is, it must not fail the workflow
            counter = workflow.metric_meter().create_counter(
                DROPPED, "Signals whose handler failed"
            )
            counter.add(1, {"signal": input.signal})
            workflow.logger.exception("signal_dropped", extra={"signal": input.signal})
