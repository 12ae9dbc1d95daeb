"""What the workflow of an agreement has done for it: who is asked next, the seal, the copies."""

from contextlib import AbstractAsyncContextManager
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.pulse import pulse
from commands.agreement_advance import advance_agreement, finish_agreement, note_blocked
from commands.agreement_seal import seal_agreement
from commands.work import Transactions, Work
from domain.errors import DomainError, NotFound
from domain.messages import AgreementMoment, AgreementOutcome, AgreementStep


class AgreementActivities:
    """Handed the way to begin transactions by the worker."""

    def __init__(self, transactions: Transactions) -> None:
        """Takes the worker's transactions."""
        self._transactions = transactions

    def _work(self, moment: AgreementMoment) -> AbstractAsyncContextManager[Work]:
        return self._transactions.work(self._transactions.later(moment.at))

    @activity.defn
    async def advance(self, moment: AgreementMoment) -> AgreementStep:
        """Asks the signers whose turn it is, once each, and says what comes next.

        Who cannot be asked is shown, and tried again.
        """
        agreement = UUID(moment.agreement_id)
        try:
            async with self._work(moment) as work:
                return await advance_agreement(work, agreement)
        except DomainError as refusal:
            async with self._work(moment) as work:
                await note_blocked(work, agreement, type(refusal).__name__)
            raise _for_now(refusal) from None

    @activity.defn
    async def seal(self, moment: AgreementMoment) -> None:
        """Makes and keeps the one sealed document; what goes wrong is shown, and tried again.

        A seal's time is that of its own attempt: the workflow's stays what it was at the first.
        """
        at = self._transactions.later(moment.at)
        async with pulse():
            try:
                await seal_agreement(self._transactions, UUID(moment.agreement_id), at)
            except DomainError as refusal:
                raise _for_now(refusal) from None

    @activity.defn
    async def finish(self, moment: AgreementMoment) -> AgreementOutcome:
        """Ends it, and has everybody sent the sealed document."""
        async with self._work(moment) as work:
            return await finish_agreement(work, UUID(moment.agreement_id))


def _for_now(refusal: DomainError) -> Exception:
    """A failure that is retried: a member makes a certificate, or cancels, and it goes on.

    Only where there is no agreement is nothing left to wait for.
    """
    kind = type(refusal).__name__
    return refusal if isinstance(refusal, NotFound) else ApplicationError(kind, type=kind)
