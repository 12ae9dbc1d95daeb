"""A whole house on a real database: one workspace with its definitions, and a clock to turn."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel, col, select

from adapters.keyring import Keyring
from commands.binding import Verify, verify
from commands.capture import Posted
from commands.definition import (
    SaveDefinition,
    publish_template,
    save_document,
    save_form,
    save_lifecycle,
    save_template,
)
from commands.issue import Issue, Issued, issue
from commands.mail import code_text, link_of
from commands.party import Moved, create_party, find_party
from commands.public_session import Target
from commands.room import CompleteTask, Room, Visitor, complete_task
from commands.work import Courier, Transactions, Work
from commands.workspace import CreateWorkspace, create_workspace
from domain.actor import Actor, ActorKind
from domain.code import TO_COME_IN, CodeUse
from domain.mail import CODES
from domain.party import PartyFields
from domain.settings import Settings
from store import database
from store.audit import AuditRow
from store.code import CodeRow
from store.definition import DefinitionRow
from store.intent import IntentRow
from store.mail import MailRow, mails_of, newest_mail
from store.party import PartyRow
from store.public_session import PublicSessionRow, TaskRow, session_by_id, tasks_of
from store.sealed import SealedRow, opened

NOBODY = UUID(int=0)
_numbers = count(1)
Row = TypeVar("Row", bound=SQLModel)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEYRING = Keyring({1: bytes(range(32))})
ANNA = Actor(ActorKind.TOKEN, "t1", "Anna's token", "anna@workspace.example")

FORM = {
    "title": "Company profile",
    "schema": {
        "type": "object",
        "properties": {
            "company": {
                "type": "string",
                "title": "Company",
                "x-ui": {"prefill": "party.attributes.company", "write_back": True},
            }
        },
        "required": ["company"],
    },
}
DOCUMENT = {"title": "Terms", "markdown": "# Terms\n\nBe kind.\n"}
TASKS = (
    {"key": "profile", "kind": "form", "title": "Profile", "form": "profile"},
    {
        "key": "terms",
        "kind": "acknowledgment",
        "title": "Terms",
        "document": "terms",
        "statement": "I have read the terms.",
    },
)
INTAKE = {
    "name": "Vendor intake",
    "trigger": "lifecycle",
    "scope": {"party_kinds": ["vendor"], "states": ["new"], "subject": "optional"},
    "time_bound_days": 14,
    "reminders": {"days_before_end": []},
    "tasks": list(TASKS),
}
DILIGENCE = INTAKE | {"name": "Due diligence", "scope": {"states": ["review"]}}
LIFECYCLE = {
    "initial": "new",
    "states": [{"key": "new", "issues": ["intake"]}, {"key": "review", "issues": ["diligence"]}],
    "transitions": [
        {"key": "look", "from": ["new"], "to": "review"},
        {"key": "back", "from": ["review"], "to": "new"},
    ],
    "completions": [{"template": "intake", "transition": "look"}],
}
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "profile": {"company": "ACME"},
    "terms": {"agreed": True},
}
SAVE = {
    "form": save_form,
    "document": save_document,
    "lifecycle": save_lifecycle,
    "template": save_template,
}


@dataclass(slots=True)
class Clock:
    """A clock that only a test turns."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **length: float) -> None:
        """Moves on, or back."""
        self.now += timedelta(**length)


class DiesAfterCommit:
    """A courier that never comes: as if the process died between commit and delivery."""

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Leaves intents in their rows."""


async def fresh_code(
    transactions: Transactions, session_id: UUID, use: CodeUse = TO_COME_IN
) -> str:
    """A new code's digits, without asking for its mail: nobody waits for the minute between."""
    async with transactions.work() as work:
        return await new_code(work, session_id, use)


async def new_code(work: Work, session_id: UUID, use: CodeUse = TO_COME_IN) -> str:
    """As `fresh_code`, in a transaction under way."""
    session = await session_by_id(work.db, session_id, lock=True)
    assert session is not None
    session.code_counter += 1
    code = CodeRow(
        session_id=session_id,
        purpose=use.purpose,
        task_id=use.task_id,
        binding_id=use.binding_id,
        counter=session.code_counter,
        key_version=work.keyring.current,
        created_at=work.at,
        expires_at=work.at + work.settings.code_life,
    )
    work.db.add(code)
    return code_text(work, session, code)


async def mailed_code(transactions: Transactions, session_id: UUID) -> str:
    """The code that a session's newest code mail brings, derived instead of read."""
    async with transactions.work() as work:
        session = await session_by_id(work.db, session_id)
        mail = await newest_mail(work.db, session_id, *CODES)
        code = await work.db.get(CodeRow, mail.code_id) if mail else None
        assert session is not None
        assert code is not None
        return code_text(work, session, code)


@dataclass(slots=True)
class House:
    """The commands' surroundings and short ways through them."""

    engine: AsyncEngine
    transactions: Transactions
    clock: Clock
    workspace_id: UUID = NOBODY

    async def save(self, kind: str, key: str, body: Mapping[str, Any]) -> DefinitionRow:
        """A new version of a definition; a template stays a draft."""
        async with self.transactions.work() as work:
            return await SAVE[kind](work, SaveDefinition(self.workspace_id, key, body, ANNA))

    async def publish(self, key: str, body: Mapping[str, Any]) -> DefinitionRow:
        """A new version of a template, published."""
        await self.save("template", key, body)
        async with self.transactions.work() as work:
            return await publish_template(work, self.workspace_id, key, ANNA)

    @property
    def address(self) -> str:
        """Where this house's vendor reads its mail; limits count by address, so it is its own."""
        return f"vera@vendor-{self.workspace_id}.example"

    async def create(self, **fields: Any) -> Moved:
        """A vendor with what its first state issues."""
        known = {"kind": "vendor", "name": "Vera Ltd", "email": self.address}
        wanted = PartyFields(**(known | fields))
        async with self.transactions.work() as work:
            return await create_party(work, self.workspace_id, wanted, ANNA)

    async def issue_to(
        self, party: PartyRow, template: str, cause: str = "", **more: Any
    ) -> Issued:
        """Issues by hand."""
        wanted = Issue(template, cause or f"by-hand:{party.id}", ANNA, **more)
        async with self.transactions.work() as work:
            row = await find_party(work, self.workspace_id, party.id, lock=True)
            return await issue(work, row, wanted)

    def target(self, session: PublicSessionRow) -> Target:
        """The session, as Anna acts on it."""
        return Target(session.id, self.workspace_id, ANNA)

    async def link(self, session_id: UUID) -> str:
        """The token of the session's living link."""
        async with self.transactions.work() as work:
            row = await session_by_id(work.db, session_id)
            assert row is not None
            return link_of(work, row).rsplit("/", 1)[1]

    async def fresh_code(self, session_id: UUID, use: CodeUse = TO_COME_IN) -> str:
        """A new code's digits, without asking for its mail."""
        return await fresh_code(self.transactions, session_id, use)

    async def mailed_code(self, session_id: UUID) -> str:
        """The code that was asked for last."""
        return await mailed_code(self.transactions, session_id)

    async def enter(self, session_id: UUID, door: str = "door-1") -> Visitor:
        """A browser that has typed a right code."""
        digits = await self.fresh_code(session_id)
        bound = await verify(self.transactions, Verify(await self.link(session_id), door, digits))
        return Visitor(bound.session_id, bound.secret)

    async def complete(
        self, visitor: Visitor, task: str, answers: Mapping[str, Any] | None = None
    ) -> Room:
        """One task, with answers that fit."""
        posted = Posted(answers or ANSWERS.get(task, {"agreed": True}), "en", str)
        async with self.transactions.work() as work:
            return await complete_task(work, visitor, CompleteTask(task, posted))

    async def session(self, session_id: UUID) -> PublicSessionRow:
        """A session as its row is now."""
        async with self.transactions.work() as work:
            row = await session_by_id(work.db, session_id)
            assert row is not None
            return row

    async def party(self, party_id: UUID) -> PartyRow:
        """A party as its row is now."""
        async with self.transactions.work() as work:
            return await find_party(work, self.workspace_id, party_id)

    async def tasks(self, session_id: UUID) -> list[TaskRow]:
        """The session's tasks."""
        async with self.transactions.work() as work:
            return list(await tasks_of(work.db, session_id))

    async def mails(self, session_id: UUID, kind: str = "") -> list[MailRow]:
        """The session's mails, oldest first."""
        async with self.transactions.work() as work:
            found = reversed(await mails_of(work.db, session_id))
            return [each for each in found if not kind or each.kind == kind]

    async def audit(self, session_id: UUID) -> list[str]:
        """What the audit says of a session, oldest first, without its noun."""
        async with self.transactions.work() as work:
            found = select(AuditRow.event).where(AuditRow.session_id == session_id)
            events = (await work.db.scalars(found.order_by(col(AuditRow.id)))).all()
            return [each.removeprefix("public_session.") for each in events]

    async def all(self, table: type[Row]) -> list[Row]:
        """Every row of a table in this workspace, oldest first."""
        named: Any = table
        found = select(table).where(named.workspace_id == self.workspace_id)
        async with self.transactions.work() as work:
            rows = (await work.db.scalars(found.order_by(named.id))).all()
            await opened(work.db, [each for each in rows if isinstance(each, SealedRow)])
            return list(rows)

    async def intents(self, session_id: UUID) -> list[IntentRow]:
        """What was to be started or told about a session and its mails, oldest first."""
        ids = [session_id, *(each.id for each in await self.mails(session_id))]
        found = select(IntentRow).where(
            col(IntentRow.workflow_id).in_(
                [f"{noun}:{each}" for each in ids for noun in ("public-session", "mail")]
            )
        )
        async with self.transactions.work() as work:
            return list((await work.db.scalars(found.order_by(col(IntentRow.id)))).all())


@asynccontextmanager
async def bare_house(
    url: str, courier: Courier | None = None, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[House]:
    """A house with a workspace and nothing in it."""
    with TemporaryDirectory(prefix="objects-") as folder:
        known = {"database_url": url, "object_store": folder}
        async with _house(replace(Settings(), **(known | settings)), courier, clock) as house:
            yield house


@asynccontextmanager
async def _house(
    chosen: Settings, courier: Courier | None, clock: Clock | None
) -> AsyncIterator[House]:
    engine, clock = database.connect(chosen), clock or Clock()
    transactions = Transactions(engine, chosen, KEYRING, courier or DiesAfterCommit(), clock)
    house = House(engine, transactions, clock)
    try:
        async with transactions.work() as work:
            row = await create_workspace(
                work, CreateWorkspace(f"demo-{next(_numbers)}", "Demo Ltd", "help@demo.example")
            )
            house.workspace_id = row.id
        yield house
    finally:
        await engine.dispose()


async def furnish(house: House, **changes: Any) -> None:
    """The definitions of a small procurement: intake, then due diligence."""
    await house.save("form", "profile", FORM)
    await house.save("document", "terms", DOCUMENT)
    await house.publish("intake", INTAKE | changes)
    await house.publish("diligence", DILIGENCE)
    await house.save("lifecycle", "vendor", LIFECYCLE)


@asynccontextmanager
async def furnished_house(
    url: str, courier: Courier | None = None, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[House]:
    """A house with definitions; `changes` are those of the intake template."""
    async with bare_house(url, courier, clock) as house:
        await furnish(house, **changes)
        yield house
