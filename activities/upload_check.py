"""Has a virus scanner look at an uploaded file, and writes down what it said."""

from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

import structlog
from temporalio import activity

from activities.pulse import pulse
from adapters.objects import ObjectStore
from commands.upload_check import check_upload
from commands.work import Transactions
from domain.messages import UploadCheckDue, UploadChecked

log = structlog.get_logger()


class Scanner(Protocol):
    """Whoever knows viruses."""

    async def virus_in(self, chunks: AsyncIterator[bytes]) -> str | None:
        """The name of the virus that is in a stream, or None; raises when it cannot tell."""


class UploadCheckActivities:
    """Handed the transactions, the object store and the scanner by the worker."""

    def __init__(self, transactions: Transactions, objects: ObjectStore, scanner: Scanner) -> None:
        """Takes what a check needs."""
        self._transactions = transactions
        self._objects = objects
        self._scanner = scanner

    @activity.defn
    async def check_upload(self, due: UploadCheckDue) -> UploadChecked:
        """Checks one file; fails while that is not possible, and is tried again for ever."""
        async with pulse():
            try:
                state = await check_upload(
                    self._transactions,
                    self._objects,
                    UUID(due.upload_id),
                    due.at,
                    self._scanner.virus_in,
                )
            except Exception as error:
                log.warning("upload_not_checked", upload_id=due.upload_id, error=str(error))
                raise
        return UploadChecked(state)
