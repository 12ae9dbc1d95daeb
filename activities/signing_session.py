"""What the workflow of a signing session has done for it: one look at the row."""

from uuid import UUID

from temporalio import activity

from commands.signing_check import check_window
from commands.work import Transactions
from domain.messages import SigningChecked, SigningMoment


class SigningSessionActivities:
    """Handed the way to begin transactions by the worker."""

    def __init__(self, transactions: Transactions) -> None:
        """Takes the worker's transactions."""
        self._transactions = transactions

    @activity.defn
    async def check_window(self, moment: SigningMoment) -> SigningChecked:
        """Ends a window that was silent for too long; says when to look again, if ever."""
        async with self._transactions.work(self._transactions.later(moment.at)) as work:
            return await check_window(work, UUID(moment.signing_id))
