"""After a restore: what had ended ends again, every browser types a new code, files are kept.

An operator runs it before anything else works on the restored database. Each step is idempotent and
in short transactions: stopped anywhere, it is run again.
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.object_notes import Note, ObjectNotes
from adapters.objects import ObjectStore
from commands.link import end_binding
from commands.object_claim import MARK, Mark, Standing, mark_of, standing_of
from commands.progress import Progress
from commands.public_session import Target, end_if_overdue, revoke
from commands.restore_fates import AGAIN, forget_address
from commands.restore_members import know_member_no_longer
from commands.settlement import settle
from commands.tombstone import SEEN_EVERY
from commands.work import Transactions, Work
from domain.actor import OPERATOR
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.public_session import OPEN
from domain.tombstone import ORPHANS_KEPT_FOR, PLACE, Fate, Tombstone
from domain.window import WindowEnd
from store.code import end_codes
from store.database import is_away
from store.installation import installation
from store.public_session import PublicSessionRow, session_by_id
from store.restore import every_workspace, members_after, open_after, unsettled_after
from store.signing_session import signing_sessions_of
from store.tombstone import TombstoneRow, unknown_tombstones

log = structlog.get_logger()

BATCH = 200
COUNTED_SINCE = 10_000
"""More than a session can have counted since any backup: no code, fence or move comes twice."""
ENDED_BY_US = "The database was restored from a backup, and what was revoked since is not known"

SILENT = (
    "The object store {}, so that it cannot tell what was revoked since the backup. Are "
    "GATEPASS_OBJECT_STORE and --since right? If they are, --revoke-open revokes every session "
    "that was open then, and takes the store over."
)

Candidates = Callable[[AsyncSession, UUID | None, int], Awaitable[Sequence[UUID]]]
Step = Callable[[Work, UUID], Awaitable[bool]]


class RestoreRefused(Exception):
    """The object store cannot say what had ended; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Restore:
    """The moment of the backup, and whether every session that was open then is to be revoked."""

    backup_at: datetime
    revoke_open: bool = False


@dataclass(slots=True)
class Restoration:
    """One run; afterwards it says what it did."""

    begin: Transactions
    objects: ObjectStore
    wanted: Restore
    known_until: datetime | None = None
    done: Counter[str] = field(default_factory=Counter)
    lost: list[UUID] = field(default_factory=list)
    """Sessions that were completed since: what they captured is in no backup."""
    failed: list[UUID] = field(default_factory=list)

    @property
    def notes(self) -> ObjectNotes:
        """Where tombstones lie."""
        return ObjectNotes.beside(self.objects)

    async def run(self) -> AsyncGenerator[Progress]:
        """Goes through everything. Raises `RestoreRefused` and `ObjectStoreAway`."""
        await self._begin()
        async for page in self.notes.under(PLACE):
            for note in page:
                await self._again(note)
            await self._adopt(page)
            yield Progress("Tombstones", self.done["tombstones"])
        for what, candidates, step in (
            ("Open sessions", open_after, self._shut),
            ("Ended sessions", unsettled_after, _follow),
            ("Members", members_after, know_member_no_longer),
        ):
            async for count in self._each(candidates, step):
                self.done[what] += count
                yield Progress(what, self.done[what])
        await self._finish()

    async def _begin(self) -> None:
        """Keeps the files before anything else; a worker that is started too early leaves them."""
        mark = await mark_of(self.notes)
        async with self.begin.work() as work:
            row = await installation(work.db, lock=True)
            standing = standing_of(row, mark)
            silence = _silence(standing, mark, self.wanted.backup_at)
            if silence and not self.wanted.revoke_open:
                raise RestoreRefused(SILENT.format(silence))
            row.orphans_kept_until = work.at + ORPHANS_KEPT_FOR
        self.known_until = mark.seen_at if mark else None

    async def _again(self, note: Note) -> None:
        stone = Tombstone.named(note.name)
        if stone is None:
            return
        self.done["tombstones"] += 1
        if await self._tried(stone.subject_id, lambda work: self._do_again(work, stone)):
            self.done[stone.fate] += 1
            if stone.fate == Fate.COMPLETED:
                self.lost.append(stone.subject_id)

    async def _do_again(self, work: Work, stone: Tombstone) -> bool:
        if stone.fate != Fate.ADDRESS_CORRECTED:
            return await AGAIN[stone.fate](work, stone.fate, stone.subject_id)
        corrected_at = datetime.fromisoformat(await self.notes.read(stone.name) or "")
        return await forget_address(work, stone.subject_id, corrected_at)

    async def _adopt(self, page: Sequence[Note]) -> None:
        """Has tombstones of which the older database has no row removed in their time."""
        found = {each.name: each.written_at for each in page}
        stones = [stone for name in found if (stone := Tombstone.named(name))]
        async with self.begin.work() as work:
            for each in await unknown_tombstones(work.db, stones):
                laid_at = found[each.name]
                work.db.add(
                    TombstoneRow(
                        fate=each.fate, subject_id=each.subject_id, at=laid_at, laid_at=laid_at
                    )
                )

    async def _each(self, candidates: Candidates, step: Step) -> AsyncIterator[int]:
        after: UUID | None = None
        while True:
            async with self.begin.work() as work:
                ids = await candidates(work.db, after, BATCH)
            if not ids:
                return
            yield sum([await self._step(step, each) for each in ids])
            after = ids[-1]

    async def _step(self, step: Step, session_id: UUID) -> bool:
        return await self._tried(session_id, lambda work: step(work, session_id))

    async def _tried(self, subject_id: UUID, do: Callable[[Work], Awaitable[bool]]) -> bool:
        """Whether something was done; one that cannot be gone through stops no other."""
        try:
            async with self.begin.work() as work:
                return await do(work)
        except Exception as error:
            if is_away(error):
                raise
            log.error("not_gone_through", subject=str(subject_id), error=type(error).__name__)  # noqa: TRY400 - a traceback may hold what a row says
            self.failed.append(subject_id)
            return False

    async def _shut(self, work: Work, session_id: UUID) -> bool:
        """Ends the place, the codes and, if so ordered, the whole of an open session."""
        row = await session_by_id(work.db, session_id, lock=True)
        if row is None or row.status not in OPEN or await end_if_overdue(work, row):
            return False
        if self.wanted.revoke_open:
            await revoke(work, Target(row.id, row.workspace_id, OPERATOR), ENDED_BY_US)
            return True
        await end_codes(work.db, row.id, work.at)
        await end_binding(work, row, BindingEnd.INACTIVE)
        _count_on(row)
        for each in await signing_sessions_of(work.db, row.id):
            each.fence += COUNTED_SINCE
            each.end_reason, each.ended_at = WindowEnd.INACTIVE, work.at
        return True

    async def _finish(self) -> None:
        """The event, once for each backup; from now on the store and the database agree."""
        async with self.begin.work() as work:
            row = await installation(work.db, lock=True)
            if row.restored_to != self.wanted.backup_at:
                await self._audit(work)
            row.restored_to, row.seen_at = self.wanted.backup_at, work.at
        await self.notes.write(MARK, Mark(row.id, work.at).text())

    async def _audit(self, work: Work) -> None:
        done = {name: count for name, count in self.done.items() if count}
        details = {"backup_at": self.wanted.backup_at.isoformat(), "done": done}
        for each in await every_workspace(work.db):
            subject = f"workspace:{each.key}"
            work.audit_subject(AuditEvent.WORKSPACE_RESTORED, each.id, subject, OPERATOR, details)


async def _follow(work: Work, session_id: UUID) -> bool:
    """What follows an end; the workflow that would have seen to it may be over."""
    return await settle(work, session_id) is not None


def _count_on(row: PublicSessionRow) -> None:
    row.code_counter += COUNTED_SINCE
    row.fence += COUNTED_SINCE
    row.deadline_moves += COUNTED_SINCE


def _silence(standing: Standing, mark: Mark | None, backup_at: datetime) -> str:
    """Why the store cannot tell what has ended since the backup; "" if it can."""
    if mark is None:
        return "has no mark"
    if standing == Standing.FOREIGN:
        return "belongs to another database"
    if mark.seen_at < backup_at - SEEN_EVERY:
        return f"knows nothing from after {mark.seen_at:%Y-%m-%d %H:%M:%S} UTC"
    return ""
