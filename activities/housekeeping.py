"""The steps of housekeeping, each a sweep over old rows in short transactions."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.pulse import pulse
from adapters.objects import ObjectStore
from adapters.temporal import Telegraph
from commands import erasure
from commands.agreement_reconcile import reconcile_agreements, reconcile_signing
from commands.member_session_sweep import delete_kept, delete_timed_out
from commands.reconcile import reconcile_mails, reconcile_sessions
from commands.tombstone import purge_tombstones
from commands.upload_orphans import remove_orphans
from commands.upload_recheck import recheck_uploads
from commands.work import Transactions, Work
from domain.housekeeping import (
    BATCH,
    CODES_KEPT_FOR,
    ERASED_AT_ONCE,
    LINKS_KEPT_FOR,
    STEPS_KEPT_FOR,
    SWEEP_FOR,
    Swept,
)
from domain.messages import HousekeepingPlan, HousekeepingStart, SweepDue
from store import housekeeping

log = structlog.get_logger()

Purge = Callable[[AsyncSession, datetime, int], Awaitable[int]]
SessionSweep = Callable[[Work, int], Awaitable[int]]


class HousekeepingActivities:
    """Handed the transactions and the way to Temporal by the worker."""

    def __init__(
        self, transactions: Transactions, telegraph: Telegraph, objects: ObjectStore
    ) -> None:
        """Takes the worker's transactions, its telegraph and where files lie."""
        self._transactions = transactions
        self._telegraph = telegraph
        self._objects = objects

    @activity.defn
    async def plan_housekeeping(self, start: HousekeepingStart) -> HousekeepingPlan:  # noqa: ARG002 - a message is its type
        """The steps of this release, in order."""
        return HousekeepingPlan(tuple(each.__name__ for each in STEPS))

    @activity.defn
    async def purge_codes(self, due: SweepDue) -> Swept:
        """Removes codes, and the tries at them, a day after their life."""
        return await self._sweep(due, CODES_KEPT_FOR, housekeeping.purge_codes)

    @activity.defn
    async def purge_mails(self, due: SweepDue) -> Swept:
        """Removes old mails of sessions that are over and no longer show them."""
        return await self._sweep(
            due, self._transactions.settings.mail_kept_for, housekeeping.purge_mails
        )

    @activity.defn
    async def purge_visits(self, due: SweepDue) -> Swept:
        """Removes how often the links of sessions long over were opened."""
        return await self._sweep(
            due, self._transactions.settings.visit_kept_for, housekeeping.purge_visits
        )

    @activity.defn
    async def erase_due(self, due: SweepDue) -> Swept:
        """Erases the sessions and files whose retention is over.

        What cannot be erased is tried again by the next run.
        """
        left: set[UUID] = set()

        async def erase(at: datetime) -> int:
            return await erasure.erase_due(self._transactions, at, ERASED_AT_ONCE, left)

        tried = await self._repeat(due, erase, ERASED_AT_ONCE)
        return Swept(tried.count - len(left))

    @activity.defn
    async def purge_tombstones(self, due: SweepDue) -> Swept:
        """Removes tombstones that no backup is old enough to need."""

        async def purge(at: datetime) -> int:
            return await purge_tombstones(self._transactions, self._objects, at, BATCH)

        return await self._repeat(due, purge, BATCH)

    @activity.defn
    async def remove_orphans(self, due: SweepDue) -> Swept:
        """Removes the bytes of files that have no row, or whose row was removed."""
        at = self._transactions.later(due.at)
        async with pulse():
            return await remove_orphans(self._transactions, self._objects, at, due.cursor)

    @activity.defn
    async def reconcile(self, due: SweepDue) -> Swept:
        """Starts the workflows of sessions that Temporal lost."""
        at = self._transactions.later(due.at)
        async with pulse():
            return await reconcile_sessions(self._transactions, self._telegraph, at, due.cursor)

    @activity.defn
    async def reconcile_mails(self, due: SweepDue) -> Swept:
        """Starts the workflows of mails that Temporal lost."""
        at = self._transactions.later(due.at)
        async with pulse():
            return await reconcile_mails(self._transactions, self._telegraph, at, due.cursor)

    @activity.defn
    async def reconcile_agreements(self, due: SweepDue) -> Swept:
        """Starts the workflows of agreements that Temporal lost."""
        at = self._transactions.later(due.at)
        async with pulse():
            return await reconcile_agreements(self._transactions, self._telegraph, at, due.cursor)

    @activity.defn
    async def reconcile_signing(self, due: SweepDue) -> Swept:
        """Starts the workflows of signers' windows that Temporal lost."""
        at = self._transactions.later(due.at)
        async with pulse():
            return await reconcile_signing(self._transactions, self._telegraph, at, due.cursor)

    @activity.defn
    async def recheck_uploads(self, due: SweepDue) -> Swept:
        """Starts the virus checks that Temporal lost; without a scanner the files are ready."""
        at = self._transactions.later(due.at)
        async with pulse():
            return await recheck_uploads(self._transactions, self._telegraph, at, due.cursor)

    @activity.defn
    async def end_member_sessions(self, due: SweepDue) -> Swept:
        """Deletes sessions that timed out, each with its audit row (SH-13)."""
        return await self._of_members(due, delete_timed_out)

    @activity.defn
    async def forget_member_sessions(self, due: SweepDue) -> Swept:
        """Deletes rows of sessions that were killed long enough ago: the "core thread" of SH-14."""
        return await self._of_members(due, delete_kept)

    @activity.defn
    async def purge_sign_ins(self, due: SweepDue) -> Swept:
        """Removes half-done sign-ins, a day after they could go on."""
        return await self._sweep(due, STEPS_KEPT_FOR, housekeeping.purge_steps)

    @activity.defn
    async def purge_member_links(self, due: SweepDue) -> Swept:
        """Removes links to members that have been over for a month."""
        return await self._sweep(due, LINKS_KEPT_FOR, housekeeping.purge_links)

    @activity.defn
    async def purge_member_tokens(self, due: SweepDue) -> Swept:
        """Removes tokens of members' programs whose family is over."""
        return await self._sweep(due, STEPS_KEPT_FOR, housekeeping.purge_tokens)

    @activity.defn
    async def purge_logins(self, due: SweepDue) -> Swept:
        """Removes old lines of the login report."""
        kept_for = self._transactions.settings.report_logins_kept_for
        return await self._sweep(due, kept_for, housekeeping.purge_logins)

    @activity.defn
    async def purge_page_visits(self, due: SweepDue) -> Swept:
        """Removes old lines of the application report."""
        kept_for = self._transactions.settings.report_visits_kept_for
        return await self._sweep(due, kept_for, housekeeping.purge_page_visits)

    @activity.defn
    async def purge_second_factors(self, due: SweepDue) -> Swept:
        """Removes keys of authenticator apps that were shown and never confirmed."""
        return await self._sweep(due, STEPS_KEPT_FOR, housekeeping.purge_enrolments)

    @activity.defn
    async def purge_trusted_devices(self, due: SweepDue) -> Swept:
        """Removes browsers that are trusted no longer."""
        return await self._sweep(due, STEPS_KEPT_FOR, housekeeping.purge_devices)

    @activity.defn
    async def purge_known_devices(self, due: SweepDue) -> Swept:
        """Removes browsers and programs in which nobody has signed in for long."""
        return await self._sweep(due, STEPS_KEPT_FOR, housekeeping.purge_known_devices)

    @activity.defn
    async def purge_passkey_answers(self, due: SweepDue) -> Swept:
        """Removes questions to passkeys that nobody could answer any more."""
        return await self._sweep(due, STEPS_KEPT_FOR, housekeeping.purge_answers)

    async def _of_members(self, due: SweepDue, some: SessionSweep) -> Swept:
        async def sweep(at: datetime) -> int:
            async with self._transactions.work(at) as work:
                return await some(work, BATCH)

        return await self._repeat(due, sweep, BATCH)

    async def _sweep(self, due: SweepDue, kept_for: timedelta, purge: Purge) -> Swept:
        async def purge_some(at: datetime) -> int:
            async with self._transactions.work(at) as work:
                return await purge(work.db, at - kept_for, BATCH)

        return await self._repeat(due, purge_some, BATCH)

    async def _repeat(
        self, due: SweepDue, some: Callable[[datetime], Awaitable[int]], batch: int
    ) -> Swept:
        """Batch after batch, until nothing is left or it has gone on for long enough."""
        at, seconds = self._transactions.later(due.at), asyncio.get_running_loop().time
        stop_at, count = seconds() + SWEEP_FOR.total_seconds(), 0
        async with pulse():
            while True:
                gone = await some(at)
                count += gone
                if gone < batch or seconds() >= stop_at:
                    return Swept(count)


STEPS: Sequence[Callable[[HousekeepingActivities, SweepDue], Awaitable[Swept]]] = (
    HousekeepingActivities.purge_codes,
    HousekeepingActivities.purge_mails,
    HousekeepingActivities.purge_visits,
    HousekeepingActivities.erase_due,
    HousekeepingActivities.purge_tombstones,
    HousekeepingActivities.remove_orphans,
    HousekeepingActivities.reconcile,
    HousekeepingActivities.reconcile_mails,
    HousekeepingActivities.reconcile_agreements,
    HousekeepingActivities.reconcile_signing,
    HousekeepingActivities.recheck_uploads,
    HousekeepingActivities.end_member_sessions,
    HousekeepingActivities.forget_member_sessions,
    HousekeepingActivities.purge_sign_ins,
    HousekeepingActivities.purge_member_links,
    HousekeepingActivities.purge_member_tokens,
    HousekeepingActivities.purge_logins,
    HousekeepingActivities.purge_page_visits,
    HousekeepingActivities.purge_second_factors,
    HousekeepingActivities.purge_trusted_devices,
    HousekeepingActivities.purge_known_devices,
    HousekeepingActivities.purge_passkey_answers,
)
"""What a run does, in order. A step that was released is never taken out of the class."""


def activities_of(housekeeper: HousekeepingActivities) -> list[Callable[..., Any]]:
    """What a worker registers."""
    return [housekeeper.plan_housekeeping, *(getattr(housekeeper, each.__name__) for each in STEPS)]
