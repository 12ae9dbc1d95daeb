"""What the workflow of a public session has done for it, each one SQL transaction.

Every activity returns what the row says afterwards: the row is the arbiter, the workflow adopts it.
"""

from uuid import UUID

from temporalio import activity

from commands import public_session as sessions
from commands import settlement
from commands.work import Transactions
from domain.actor import Actor, ActorKind
from domain.messages import (
    BoundChecked,
    IdleChecked,
    PublicSessionOutcome,
    ReminderDue,
    SessionMoment,
)

TEMPORAL_OPERATOR = Actor(ActorKind.OPERATOR, "temporal", "Operator in Temporal")


class PublicSessionActivities:
    """Handed the way to begin transactions by the worker."""

    def __init__(self, transactions: Transactions) -> None:
        """Takes the worker's transactions."""
        self._transactions = transactions

    @activity.defn
    async def check_bound(self, moment: SessionMoment) -> BoundChecked:
        """Ends the session if its deadline has come (PS-29)."""
        async with self._transactions.work(self._transactions.later(moment.at)) as work:
            return await sessions.check_bound(work, UUID(moment.session_id))

    @activity.defn
    async def remind(self, due: ReminderDue) -> bool:
        """Asks for the reminder of one slot, once."""
        async with self._transactions.work(self._transactions.later(due.at)) as work:
            return await sessions.remind(work, UUID(due.session_id), due.slot)

    @activity.defn
    async def check_idle(self, moment: SessionMoment) -> IdleChecked:
        """Ends the place of a browser that was silent for too long."""
        async with self._transactions.work(self._transactions.later(moment.at)) as work:
            return await sessions.check_idle(work, UUID(moment.session_id))

    @activity.defn
    async def carry_revocation(self, moment: SessionMoment) -> None:
        """Makes the fact behind an operator's bare `revoke` signal."""
        async with self._transactions.work(self._transactions.later(moment.at)) as work:
            await sessions.carry_revocation(work, UUID(moment.session_id), TEMPORAL_OPERATOR)

    @activity.defn
    async def settle(self, moment: SessionMoment) -> PublicSessionOutcome | None:
        """Does what follows the end: advance, mails (PS-19); None while it is open."""
        async with self._transactions.work(self._transactions.later(moment.at)) as work:
            return await settlement.settle(work, UUID(moment.session_id))
