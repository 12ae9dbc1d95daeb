"""A house with its workflows at work: real workers, real mails, time that skips."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast
from uuid import UUID

from aiosmtpd.smtp import SMTP, Envelope, Session
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor
from typing_extensions import override

import worker
from adapters.smtp import SmtpSender
from adapters.temporal import Telegraph
from commands.audit_tree import AuditSequencer
from commands.intent import IntentCourier
from domain.settings import Settings
from domain.workflow_names import mail_id, public_session_id
from tests.rooms.house import Clock, House, bare_house, furnish

PATIENCE = 45.0


@dataclass(slots=True)
class PostOffice:
    """An SMTP server that answers as it is told, then takes everything."""

    answers: defaultdict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    tried: list[EmailMessage] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Takes a mail, or answers what the recipient's next answer is."""
        content = cast("bytes", envelope.content)
        mail = message_from_bytes(content, policy=policy.default)
        self.tried.append(mail)
        waiting = self.answers[envelope.rcpt_tos[0]]
        if waiting:
            return waiting.popleft()
        self.taken.append(mail)
        return "250 2.0.0 taken"

    def subjects(self, to: str) -> list[str]:
        """What was taken for somebody, oldest first."""
        return [each["Subject"] for each in self.taken if each["To"] == to]


@asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    """A post office on a free port of this machine."""
    office = PostOffice()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(office), "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()


class Foreman(ClientInterceptor, Interceptor):
    """Keeps the house's clock at the server's time, and counts and holds activities.

    The audit's log is numbered and signed before each of them, instead of twice a second.
    """

    def __init__(self, follow: Callable[[], Awaitable[None]]) -> None:
        self.follow = follow
        self.sequencer: AuditSequencer | None = None
        self.ran: list[str] = []
        self.after: dict[str, Callable[[], Awaitable[None]]] = {}

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wraps every activity."""
        return _Watched(next, self)


class _Watched(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, foreman: Foreman) -> None:
        super().__init__(inner)
        self.foreman = foreman

    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        await self.foreman.follow()
        if self.foreman.sequencer:
            await self.foreman.sequencer.round()
        name = input.fn.__name__
        self.foreman.ran.append(name)
        result = await super().execute_activity(input)
        if name in self.foreman.after:
            await self.foreman.after.pop(name)()
        return result


@dataclass(slots=True)
class Works:
    """A house at work."""

    house: House
    client: Client
    courier: IntentCourier
    office: PostOffice
    foreman: Foreman
    skips: Any
    """The time-skipping environment, whose type the SDK keeps to itself."""

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Both workers, as a process runs them."""
        transactions = self.house.transactions
        sender = SmtpSender(transactions.settings)
        mails = worker.mail_worker(self.client, transactions, sender)
        agreements = worker.agreement_worker(self.client, transactions)
        signing = worker.signing_worker(self.client, transactions)
        async with worker.session_worker(self.client, transactions), mails, agreements, signing:
            yield
        await sender.close()

    async def follow(self) -> None:
        """Turns the house's clock to the server's time."""
        self.house.clock.now = await self.skips.get_current_time()

    async def sleep(self, **length: float) -> None:
        """Lets time pass, once everything handed over has arrived."""
        await self.courier.drain()
        await self.skips.sleep(timedelta(**length))
        await self.follow()

    async def sleep_until(self, at: datetime) -> None:
        """Lets time pass until a moment."""
        await self.follow()
        await self.sleep(seconds=(at - self.house.clock.now).total_seconds())

    def workflow(self, session_id: UUID) -> WorkflowHandle[Any, Any]:
        """The workflow of a session."""
        return self.client.get_workflow_handle(public_session_id(session_id))

    def mail(self, mail: UUID) -> WorkflowHandle[Any, Any]:
        """The workflow of a mail."""
        return self.client.get_workflow_handle(mail_id(mail))

    async def outcome(self, session_id: UUID) -> dict[str, Any]:
        """What the session's workflow ends with; time skips until then."""
        await self.courier.drain()
        return await self._result(self.workflow(session_id))

    async def mail_outcome(self, mail: UUID) -> str:
        """What the mail's workflow ends with; time skips until then."""
        await self.courier.drain()
        return str((await self._result(self.mail(mail)))["state"])

    async def _result(self, handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE), self.skips.time_skipping_unlocked():
            result: dict[str, Any] = await handle.result()
        await self.follow()
        return result

    async def history(self, session_id: UUID) -> WorkflowHistory:
        """The events of the session's workflow so far."""
        return await self.workflow(session_id).fetch_history()

    async def sent(self, session_id: UUID) -> None:
        """Waits until no mail of the session is queued."""

        async def none_queued() -> bool:
            return all(each.state != "queued" for each in await self.house.mails(session_id))

        await eventually(none_queued)

    async def issue(self, **fields: Any) -> UUID:
        """A new vendor's intake."""
        await self.follow()
        return await self.issue_now(**fields)

    async def issue_now(self, **fields: Any) -> UUID:
        """A new vendor's intake, by the house's clock as it is."""
        session_id = (await self.house.create(**fields)).issued[0].id
        await self.courier.drain()
        return session_id

    async def issued_ago(self, **length: float) -> UUID:
        """An intake issued a while ago, of which no worker has heard until now."""
        self.house.clock.turn(**{unit: -amount for unit, amount in length.items()})
        session_id = await self.issue_now()
        await self.follow()
        return session_id

    async def complete_all(self, session_id: UUID) -> None:
        """A person who verifies and does every task."""
        visitor = await self.house.enter(session_id)
        for task in await self.house.tasks(session_id):
            await self.house.complete(visitor, task.key)
        await self.courier.drain()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something holds; what never does fails the test."""
    give_up = time.monotonic() + PATIENCE
    while not await holds():
        assert time.monotonic() < give_up, f"{holds} never came true"
        await asyncio.sleep(0.02)


def kinds_of(history: WorkflowHistory) -> list[str]:
    """The types of a history's events, without their prefix."""
    return [EventType.Name(each.event_type).removeprefix("EVENT_TYPE_") for each in history.events]


@asynccontextmanager
async def works(
    environment: WorkflowEnvironment, database_url: str, **intake: Any
) -> AsyncIterator[Works]:
    """A furnished house whose workflows run on this server; nobody works yet."""
    clock = Clock(await environment.get_current_time())

    async def follow() -> None:
        clock.now = await environment.get_current_time()

    foreman = Foreman(follow)
    known: dict[str, Any] = dict(environment.client.config())
    client = Client(**{**known, "interceptors": [*known["interceptors"], foreman]})
    async with post_office() as office:
        smtp = f"smtp://127.0.0.1:{office.port}"
        async with bare_house(database_url, clock=clock, smtp_url=smtp) as house:
            settings: Settings = replace(house.transactions.settings)
            telegraph = Telegraph(client, settings.temporal_call_timeout)
            courier = IntentCourier(house.engine, telegraph, settings, clock)
            house.transactions._courier = courier
            await furnish(house, **intake)
            foreman.sequencer = AuditSequencer(house.transactions)
            yield Works(house, client, courier, office, foreman, environment)
            await courier.drain()
