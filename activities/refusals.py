"""Turns a refusal of the domain into a failure that is not retried.

Naming the base class in a retry policy does not match its subclasses, so each refusal would be
retried for ever; here the class's own name becomes the failure's type.
"""

from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)
from typing_extensions import override

from domain.errors import DomainError


class RefusalsAreFinal(Interceptor):
    """The worker's activity interceptor."""

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wraps every activity."""
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except DomainError as refusal:
            kind = type(refusal).__name__
            raise ApplicationError(kind, type=kind, non_retryable=True) from None
        except SQLAlchemyError as fault:
            # Its text may quote values, and Temporal's history is no place for them.
            kind = type(fault).__name__
            raise ApplicationError(kind, type=kind) from None
