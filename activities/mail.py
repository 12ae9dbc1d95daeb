"""Hands one mail to the SMTP server, and writes down what it said."""

import asyncio
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

import structlog
from temporalio import activity

from activities.pulse import pulse
from adapters.mail_message import AddressError
from adapters.mail_template import MailContentError
from adapters.smtp import SmtpSender
from commands.mail import note_refused, note_retry, note_sent
from commands.mail_draft import compose_mail
from commands.work import Transactions, Work
from domain.mail import MailState, SendOutcome, Verdict, wait_before_retry, wait_for_proof
from domain.messages import MailAttempt, MailTried
from store.database import is_away

log = structlog.get_logger()


class MailActivities:
    """Handed the transactions and the SMTP sender by the worker."""

    def __init__(self, transactions: Transactions, sender: SmtpSender) -> None:
        """Takes the worker's transactions and its sender."""
        self._transactions = transactions
        self._sender = sender

    @activity.defn
    async def attempt(self, wanted: MailAttempt) -> MailTried:
        """One attempt: composed now, sent, written down.

        If the worker dies between the server's answer and our note, the next attempt sends the same
        mail again with the same Message-ID: at least once, same content.
        """
        mail_id = UUID(wanted.mail_id)
        try:
            tried = await self._composed(mail_id, wanted)
        except (AddressError, MailContentError) as fault:
            # No later attempt would fare better: shown as refused instead of tried for ever.
            return await self._refuse(mail_id, wanted.at, str(fault))
        except Exception as fault:
            if is_away(fault):
                raise
            # Whatever it is, the mail is given up in the end and shows why: it is never stuck.
            log.exception("mail_not_composed", mail_id=wanted.mail_id)
            return await self._note(mail_id, wanted.at, SendOutcome.retry(type(fault).__name__))
        if isinstance(tried, MailTried):
            return tried
        async with pulse():
            outcome = await self._sender.send(tried)
        return await self._note(mail_id, wanted.at, outcome)

    async def _composed(self, mail_id: UUID, wanted: MailAttempt) -> EmailMessage | MailTried:
        """The mail to send now, or what became of it, or when to look for its receipt's proof."""
        async with self._transactions.work(self._transactions.later(wanted.at)) as work:
            draft, state = await compose_mail(work, mail_id)
        if draft is not None:
            # Outside the transaction: the receipt's PDF keeps nobody waiting for a row.
            return await asyncio.to_thread(draft.message)
        again_at = work.at + wait_for_proof(wanted.attempt)
        return MailTried(state, again_at if state == MailState.QUEUED else None)

    async def _note(self, mail_id: UUID, at: datetime, outcome: SendOutcome) -> MailTried:
        async with self._transactions.work(self._transactions.later(at)) as work:
            return await _note(work, mail_id, outcome)

    async def _refuse(self, mail_id: UUID, at: datetime, reason: str) -> MailTried:
        async with self._transactions.work(self._transactions.later(at)) as work:
            await note_refused(work, mail_id, reason)
        return MailTried(MailState.REFUSED)


async def _note(work: Work, mail_id: UUID, outcome: SendOutcome) -> MailTried:
    match outcome.verdict:
        case Verdict.SENT:
            await note_sent(work, mail_id)
            return MailTried(MailState.SENT)
        case Verdict.REFUSED:
            await note_refused(work, mail_id, outcome.reason)
            return MailTried(MailState.REFUSED)
        case Verdict.RETRY:
            # Counted in the row: looking for a proof was no attempt at handing the mail over.
            attempts = await note_retry(work, mail_id, outcome.reason)
            if not attempts:
                return MailTried(MailState.REFUSED)
            return MailTried(MailState.QUEUED, work.at + wait_before_retry(attempts, outcome.after))
