"""The unit of work: one transaction at one time, with its audit rows and intents."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.keyring import Keyring
from commands.vault import TransactionKeys, Vault
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.settings import Settings
from domain.tombstone import Fate
from domain.workflow_names import MAIL, PUBLIC_SESSION, mail_id, public_session_id
from store.audit import AuditRow
from store.intent import IntentRow
from store.public_session import PublicSessionRow
from store.sealed import KEYS
from store.tombstone import TombstoneRow

KEYS_WAIT = timedelta(seconds=1)
KEYS_EVERY = timedelta(milliseconds=20)


class Courier(Protocol):
    """Whoever delivers intents after the commit."""

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Takes intents that have just been committed."""


def utc_now() -> datetime:
    """The clock of a running process; tests and workflows inject their own."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Work:
    """One transaction. `at` is the time everything in it is judged by and written with."""

    db: AsyncSession
    at: datetime
    settings: Settings
    keyring: Keyring
    vault: Vault
    intents: list[IntentRow] = field(default_factory=list)

    def start_public_session(self, session_id: UUID, message: Any) -> None:
        """Intends to start the session's workflow."""
        self._intend(PUBLIC_SESSION, public_session_id(session_id), None, message)

    def tell_public_session(self, session_id: UUID, signal: str, message: Any) -> None:
        """Intends to tell the session's workflow."""
        self._intend(PUBLIC_SESSION, public_session_id(session_id), signal, message)

    def start_mail(self, mail: UUID, message: Any) -> None:
        """Intends to start a mail's workflow."""
        self._intend(MAIL, mail_id(mail), None, message)

    def start_workflow(self, workflow: str, workflow_id: str, message: Any) -> None:
        """Intends to start any other workflow."""
        self._intend(workflow, workflow_id, None, message)

    def tell_workflow(self, workflow: str, workflow_id: str, signal: str, message: Any) -> None:
        """Intends to tell any other workflow."""
        self._intend(workflow, workflow_id, signal, message)

    def _intend(self, workflow: str, workflow_id: str, signal: str | None, message: Any) -> None:
        row = IntentRow(
            workflow=workflow,
            workflow_id=workflow_id,
            signal=signal,
            payload=_fields(message),
            created_at=self.at,
            due_at=self.at + self.settings.intent_repeat_after,
        )
        self.db.add(row)
        self.intents.append(row)

    def lay_tombstone(self, fate: Fate, subject_id: UUID) -> None:
        """Has a backup of before not take this back; a worker lays it into the object store."""
        self.db.add(TombstoneRow(fate=fate, subject_id=subject_id, at=self.at))

    def audit_session(
        self,
        event: AuditEvent,
        session: PublicSessionRow,
        actor: Actor,
        *,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes down what happened to a public session."""
        row = _audit_row(self.at, session.workspace_id, event, actor, reason, details)
        row.session_id, row.party_id = session.id, session.party_id
        self.db.add(row)

    def audit_party(
        self,
        event: AuditEvent,
        workspace_id: UUID,
        party_id: UUID,
        actor: Actor,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes down what happened to a party."""
        row = _audit_row(self.at, workspace_id, event, actor, "", details)
        row.party_id = party_id
        self.db.add(row)

    def audit_subject(
        self,
        event: AuditEvent,
        workspace_id: UUID,
        subject: str,
        actor: Actor,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes down what happened to a definition, token or workspace."""
        row = _audit_row(self.at, workspace_id, event, actor, "", details)
        row.subject = subject
        self.db.add(row)


def _audit_row(
    at: datetime,
    workspace_id: UUID,
    event: AuditEvent,
    actor: Actor,
    reason: str,
    details: Mapping[str, Any] | None,
) -> AuditRow:
    row = AuditRow(workspace_id=workspace_id, event=event, actor=str(actor), at=at)
    delegated = {"on_behalf_of": actor.on_behalf_of} if actor.on_behalf_of else {}
    row.tell(actor.label, reason, {**(details or {}), **delegated})
    return row


def _fields(message: Any) -> dict[str, Any]:
    """A message as JSON: times become RFC 3339 texts."""
    return {name: _plain(value) for name, value in dataclasses.asdict(message).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


class Transactions:
    """Begins units of work on one database and hands their intents over after the commit."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: Settings,
        keyring: Keyring,
        courier: Courier,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Takes everything that a transaction may need."""
        self._engine = engine
        self._courier = courier
        self.settings = settings
        self.keyring = keyring
        self.clock = clock
        self.vault = Vault(keyring, clock)

    def later(self, at: datetime) -> datetime:
        """`at`, or our own clock's time if that is later: what waited must not act early."""
        return max(at, self.clock())

    @asynccontextmanager
    async def work(
        self,
        at: datetime | None = None,
        *,
        within: timedelta | None = None,
        without_keys: bool = False,
    ) -> AsyncIterator[Work]:
        """One transaction: committed at the end, rolled back by any error.

        It lasts `within` at most, by our own clock: a server that fell silent bounds nothing.
        Raises `TimeoutError` then, or `ConnectionError` as long as the keys are not read.
        """
        if not without_keys:
            await self._keys_read()
        most = within or self.settings.database_transaction_timeout
        keys = TransactionKeys(self.vault)
        async with (
            asyncio.timeout(most.total_seconds()),
            AsyncSession(self._engine, expire_on_commit=False, info={KEYS: keys}) as db,
        ):
            work = Work(db, at or self.clock(), self.settings, self.keyring, self.vault)
            yield work
            await db.commit()
            keys.committed()
        if work.intents:
            self._courier.hand_over(work.intents)

    async def _keys_read(self) -> None:
        """Returns once they are, which at a process's start takes a moment."""
        tries = KEYS_WAIT // KEYS_EVERY
        while not self.keyring.is_ready:
            if not (tries := tries - 1):
                raise ConnectionError("the installation's keys are not read yet")
            await asyncio.sleep(KEYS_EVERY.total_seconds())
