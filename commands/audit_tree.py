"""Numbers committed events, extends each workspace's tree with them, and signs its heads (N10).

The change's transaction writes the event without a place; so no change waits for another's. One
process at a time numbers a workspace's events; a head is signed after a minute, after a hundred
events, and at once when a session was completed, for its receipt.
"""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from adapters.aead import Undecipherable
from adapters.checkpoint import Signer
from commands.work import Transactions, Work
from domain.audit import AuditEvent
from domain.audit_tree import Frontier, Place, leaf_hash, peak_places
from store.audit_checkpoint import AuditCheckpointRow, newest_checkpoint
from store.audit_tree import (
    AuditSignerRow,
    add_nodes,
    leaf_of,
    lock_tree,
    nodes_at,
    place_leaves,
    signer_of,
    tree_size,
    try_to_lock_tree,
    unnumbered,
    workspaces_to_number,
    workspaces_to_sign,
)
from store.database import is_away

log = structlog.get_logger()

MOST_EVENTS = 1000
SEED_BYTES = 32
SIGN_AFTER = timedelta(seconds=60)
SIGN_AFTER_EVENTS = 100
LOOP_EVERY = 0.5
TELL_EVERY = timedelta(minutes=10)
"""A log that is broken stays so for hundreds of rounds; the same line for each helps nobody."""
SIGNED_AT_ONCE = frozenset({AuditEvent.SESSION_COMPLETED.value})


@dataclass(frozen=True, slots=True)
class Extended:
    """What one round did: events that were numbered, and whether a head was signed."""

    events: int
    signed: bool


class TreeBroken(Exception):
    """The stored tree does not contain the head that was signed last: rows were taken out.

    Going on would give places that were signed over to other events, under our own signature.
    """

    def __init__(self, head: AuditCheckpointRow, stored: int) -> None:
        """Takes the head that is contradicted, and how many events are stored."""
        super().__init__(f"{stored} events are stored, not the {head.size} that were signed")
        self.head, self.stored = head, stored


def origin_of(workspace_id: UUID) -> str:
    """What a workspace's log is called, in its heads and by its signer."""
    return f"gatepass/{workspace_id}"


async def extend_tree(work: Work, workspace_id: UUID) -> Extended:
    """Numbers a workspace's events and signs its head if that is due; one process at a time.

    Raises `TreeBroken` and leaves everything as it is then.
    """
    if not await try_to_lock_tree(work.db, workspace_id):
        return Extended(0, signed=False)
    return await _extend(work, workspace_id)


async def catch_up(begin: Transactions, workspace_id: UUID) -> AuditCheckpointRow:
    """Numbers everything that is committed and signs over all of it; returns the newest head.

    Whoever wants the log whole does not wait for a worker. Raises `TreeBroken`.
    """
    while True:
        async with begin.work() as work:
            await lock_tree(work.db, workspace_id)
            extended = await _extend(work, workspace_id, at_once=True)
            head = await newest_checkpoint(work.db, workspace_id)
        if head is not None and extended.events < MOST_EVENTS:
            return head


async def _extend(work: Work, workspace_id: UUID, *, at_once: bool = False) -> Extended:
    last = await newest_checkpoint(work.db, workspace_id)
    frontier = await _frontier(work, workspace_id, last)
    rows = await unnumbered(work.db, workspace_id, MOST_EVENTS)
    if rows:
        hashes = [leaf_hash(leaf_of(each).canonical()) for each in rows]
        await place_leaves(work.db, frontier.size, rows, hashes)
        frontier, nodes = frontier.appending(hashes)
        await add_nodes(work.db, workspace_id, nodes)
    urgent = at_once or any(each.event in SIGNED_AT_ONCE for each in rows)
    signed = _is_due(last, frontier.size, work.at, urgent=urgent)
    if signed:
        await _sign(work, workspace_id, frontier)
    return Extended(len(rows), signed)


async def _frontier(work: Work, workspace_id: UUID, last: AuditCheckpointRow | None) -> Frontier:
    size = await tree_size(work.db, workspace_id)
    wanted = {*peak_places(size), *peak_places(last.size if last else 0)}
    node = await nodes_at(work.db, workspace_id, wanted)
    if last and not _contains(size, node, last):
        raise TreeBroken(last, size)
    return Frontier.at(size, node)


def _contains(size: int, node: Mapping[Place, bytes], last: AuditCheckpointRow) -> bool:
    """Whether a tree of this size begins with the one that was signed."""
    needed = [*peak_places(size), *peak_places(last.size)]
    is_there = size >= last.size and all(node.get(each) for each in needed)
    return is_there and Frontier.at(last.size, node).root == last.root


def _is_due(last: AuditCheckpointRow | None, size: int, at: datetime, *, urgent: bool) -> bool:
    if last is None:
        return size > 0
    waited = at - last.signed_at >= SIGN_AFTER
    return size > last.size and (waited or urgent or size - last.size >= SIGN_AFTER_EVENTS)


async def _sign(work: Work, workspace_id: UUID, frontier: Frontier) -> None:
    signer = await find_signer(work, workspace_id)
    note = signer.sign(origin_of(workspace_id), frontier.size, frontier.root)
    work.db.add(
        AuditCheckpointRow(
            workspace_id=workspace_id,
            size=frontier.size,
            root=frontier.root,
            note=note,
            signed_at=work.at,
        )
    )


async def find_signer(work: Work, workspace_id: UUID) -> Signer:
    """Who signs a workspace's heads; made when the first is signed, then the same for ever.

    The caller holds the tree's lock, so that there is never a second one.
    """
    row = await signer_of(work.db, workspace_id)
    if row is None:
        signer = Signer(origin_of(workspace_id), secrets.token_bytes(SEED_BYTES))
        row = AuditSignerRow(workspace_id=workspace_id, verifier=signer.vkey, created_at=work.at)
        row.seed = signer.seed.hex()
        work.db.add(row)
    return signer_in(row)


def signer_in(row: AuditSignerRow) -> Signer:
    """The signer that a row was sealed with.

    Raises `Undecipherable` where the public half that stands beside it is another's.
    """
    signer = Signer(origin_of(row.workspace_id), bytes.fromhex(row.seed))
    if signer.vkey != row.verifier:
        raise Undecipherable
    return signer


async def verifier_key(work: Work, workspace_id: UUID) -> str:
    """The public key of a workspace's log, for whoever checks it to keep; never as it is stored."""
    if found := await signer_of(work.db, workspace_id):
        return signer_in(found).vkey
    await lock_tree(work.db, workspace_id)
    return (await find_signer(work, workspace_id)).vkey


class AuditSequencer:
    """The loop of a worker that numbers and signs."""

    def __init__(self, begin: Transactions) -> None:
        """Takes the way to begin transactions."""
        self._begin = begin
        self._told_at: dict[UUID, datetime] = {}

    async def round(self) -> int:
        """Extends every tree that has something new; returns how many events were numbered."""
        async with self._begin.work() as work:
            numbered = await workspaces_to_number(work.db)
            due = await workspaces_to_sign(work.db, work.at - SIGN_AFTER)
        return sum([await self._extended(each) for each in sorted({*numbered, *due})])

    async def _extended(self, workspace_id: UUID) -> int:
        """One workspace's log that cannot go on, by its keys say, holds up nobody else's."""
        try:
            async with self._begin.work() as work:
                return (await extend_tree(work, workspace_id)).events
        except TreeBroken as error:
            self._tell(workspace_id, error)
            return 0
        except Exception as error:
            if is_away(error):
                raise
            log.exception("audit_tree_not_extended", workspace=str(workspace_id))
            return 0

    def _tell(self, workspace_id: UUID, error: TreeBroken) -> None:
        at = self._begin.clock()
        told_at = self._told_at.get(workspace_id)
        if told_at is None or at - told_at >= TELL_EVERY:
            self._told_at[workspace_id] = at
            signed, stored = error.head.size, error.stored
            log.error(
                "audit_tree_broken", workspace=str(workspace_id), signed=signed, stored=stored
            )

    async def number_until_stopped(self, stop: asyncio.Event) -> None:
        """Round after round, until the process ends."""
        while not stop.is_set():
            if not await self._tried():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOP_EVERY)

    async def _tried(self) -> bool:
        """Whether there was so much that another round is due at once."""
        try:
            return await self.round() >= MOST_EVENTS
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("audit_sequencer_waits", error=type(error).__name__)
            return False
