"""RELIABILITY 1, 2, 20: `kill -9` in the middle of everything loses and doubles nothing.

Fifty sessions of four tasks are driven over HTTP by eight clients, who try again until they are
answered, while the API and the worker are killed and started again. Then the clients' list of what
was acknowledged is compared with SQL and with Temporal.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus

from commands.definition import (
    SaveDefinition,
    publish_template,
    save_document,
    save_form,
    save_lifecycle,
    save_template,
)
from domain.actor import OPERATOR
from domain.workflow_names import public_session_id
from tests.e2e.caller import Caller
from tests.e2e.house import House, Office, until
from tests.e2e.test_outage import all_caught_up
from tests.rooms.house import DOCUMENT, FORM

pytestmark = pytest.mark.timeout(240)

SESSIONS = 50
CLIENTS = 8
SETTLED_WITHIN = 60.0
GIVEN_UP_AFTER = 90.0
TASKS: dict[str, dict[str, str]] = {
    "profile": {"company": "ACME"},
    "terms": {"agreed": "yes"},
    "correct": {"agreed": "yes"},
    "entitled": {"agreed": "yes"},
}
TEMPLATE: dict[str, Any] = {
    "name": "Onboarding",
    "trigger": "lifecycle",
    "scope": {"party_kinds": ["supplier"], "states": ["new"], "subject": "none"},
    "time_bound_days": 14,
    "ordered": False,
    "reminders": {"days_before_end": []},
    "tasks": [
        {"key": "profile", "kind": "form", "title": "Profile", "form": "profile"},
        {
            "key": "terms",
            "kind": "acknowledgment",
            "title": "Terms",
            "document": "terms",
            "statement": "I have read the terms.",
        },
        {"key": "correct", "kind": "confirmation", "title": "Correct", "statement": "It is so."},
        {"key": "entitled", "kind": "confirmation", "title": "Entitled", "statement": "I may."},
    ],
}
LIFECYCLE = {
    "initial": "new",
    "states": [{"key": "new", "issues": ["onboarding"]}, {"key": "known", "issues": []}],
    "transitions": [{"key": "know", "from": ["new"], "to": "known"}],
    "completions": [{"template": "onboarding", "transition": "know"}],
}


@pytest_asyncio.fixture
async def office(fragile_office: Office) -> AsyncIterator[Office]:
    """An office that issues four tasks to every new supplier."""
    workspace = fragile_office.workspace_id
    async with fragile_office.transactions.work() as work:
        await save_form(work, SaveDefinition(workspace, "profile", FORM, OPERATOR))
        await save_document(work, SaveDefinition(workspace, "terms", DOCUMENT, OPERATOR))
        await save_template(work, SaveDefinition(workspace, "onboarding", TEMPLATE, OPERATOR))
        await publish_template(work, workspace, "onboarding", OPERATOR)
        await save_lifecycle(work, SaveDefinition(workspace, "supplier", LIFECYCLE, OPERATOR))
    yield fragile_office


@dataclass(slots=True)
class Ledger:
    """What was acknowledged to the clients."""

    parties: dict[UUID, UUID] = field(default_factory=dict)
    completed: set[tuple[UUID, str]] = field(default_factory=set)
    retries: int = 0

    async def reaches(self, number: int) -> None:
        """Returns once so many requests that change something were answered."""

        async def enough() -> bool:
            return len(self.parties) + len(self.completed) >= number

        await until(enough, f"{number} acknowledged", GIVEN_UP_AFTER, every=0.005)


async def insist(
    ledger: Ledger, ask: Callable[[], Awaitable[httpx2.Response]], *good: int
) -> httpx2.Response:
    """Asks until there is an answer; connections may break and 503 may come, nothing else may."""
    give_up = time.monotonic() + GIVEN_UP_AFTER
    while time.monotonic() < give_up:
        try:
            answer = await ask()
        except httpx2.TransportError:
            ledger.retries += 1
            await anyio.sleep(0.1)
            continue
        if answer.status_code in good:
            return answer
        assert answer.status_code == 503, (answer.request.url, answer.status_code, answer.text)
        ledger.retries += 1
        await anyio.sleep(0.2)
    pytest.fail("no answer")


async def client(office: Office, ledger: Ledger, numbers: list[int]) -> None:
    """One after the other, until there are no more numbers."""
    while numbers:
        await one_session(office, ledger, numbers.pop())


async def one_session(office: Office, ledger: Ledger, number: int) -> None:
    """A supplier is created and does everything, whatever happens meanwhile."""
    body = {"kind": "supplier", "name": f"S {number}", "email": office.address(f"s{number}")}
    create = partial(
        office.client.post,
        "/api/v1/parties",
        json=body,
        headers={"Idempotency-Key": f"{office.name}-{number}"},
    )
    party = (await insist(ledger, create, 201)).json()
    session = UUID(party["issued"][0]["public_session"])
    ledger.parties[UUID(party["id"])] = session
    async with Caller(office.house.url, timeout=10) as person:
        await comes_in(office, ledger, person, session)
        for task, fields in TASKS.items():
            await insist(ledger, partial(person.complete, session, task, fields), 303)
            ledger.completed.add((session, task))


async def comes_in(office: Office, ledger: Ledger, person: Caller, session: UUID) -> None:
    link = await office.link(session)
    await insist(ledger, partial(person.get, link), 200)
    await insist(ledger, partial(person.ask, link), 303)
    code = await office.fresh_code(session)
    answer = await insist(ledger, partial(person.verify, link, code), 303)
    assert "/sessions/" in answer.headers["location"]


async def kill_now_and_then(house: House, ledger: Ledger) -> None:
    """Kills one or both whenever another part of the work is acknowledged; starts them again."""
    plan = [("worker",), ("api",), ("worker",), ("api", "worker")]
    whole = SESSIONS * (1 + len(TASKS))
    for place, names in enumerate(plan, start=1):
        await ledger.reaches(whole * place // (len(plan) + 1))
        for name in names:
            house.kill(name)
        for name in names:
            house.start(name)


async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(
    fragile_house: House, office: Office
) -> None:
    """PS-12, PS-36, N2: SQL has every acknowledged completion, each party moved exactly once."""
    ledger, numbers = Ledger(), list(range(SESSIONS))
    async with anyio.create_task_group() as all_at_once:
        all_at_once.start_soon(kill_now_and_then, fragile_house, ledger)
        for _ in range(CLIENTS):
            all_at_once.start_soon(client, office, ledger, numbers)
    killed_at = time.monotonic()
    assert len(ledger.parties) == SESSIONS
    assert len(ledger.completed) == SESSIONS * len(TASKS)
    assert ledger.retries > 0
    await all_caught_up(office, SETTLED_WITHIN)
    assert time.monotonic() - killed_at < SETTLED_WITHIN
    await assert_completed_once(office, ledger)
    await assert_advanced_once(office, ledger)
    await assert_one_workflow_each(office, ledger)


async def assert_completed_once(office: Office, ledger: Ledger) -> None:
    rows = await office.sql(
        """
        SELECT task.session_id, task.key, count(submission.id)
        FROM task LEFT JOIN submission ON submission.task_id = task.id
        JOIN public_session ON public_session.id = task.session_id
        WHERE public_session.workspace_id = :workspace AND task.completed_at IS NOT NULL
        GROUP BY 1, 2
        """,
        workspace=office.workspace_id,
    )
    assert {(row[0], row[1]) for row in rows} == ledger.completed
    assert {row[2] for row in rows} == {1}
    audited = await office.sql(
        "SELECT event, count(*) FROM audit WHERE workspace_id = :workspace GROUP BY 1",
        workspace=office.workspace_id,
    )
    counts = {row[0]: row[1] for row in audited}
    assert counts["task.completed"] == SESSIONS * len(TASKS)
    assert counts["public_session.completed"] == SESSIONS
    assert counts["public_session.advanced"] == SESSIONS
    assert counts["public_session.issued"] == SESSIONS


async def assert_advanced_once(office: Office, ledger: Ledger) -> None:
    rows = await office.sql(
        """
        SELECT party.id, party.state, count(passage.id)
        FROM party JOIN passage ON passage.party_id = party.id
        WHERE party.workspace_id = :workspace GROUP BY 1, 2
        """,
        workspace=office.workspace_id,
    )
    assert {row[0] for row in rows} == set(ledger.parties)
    assert {(row[1], row[2]) for row in rows} == {("known", 2)}
    mails = await office.sql(
        """
        SELECT mail.kind, count(*), count(DISTINCT session_id) FROM mail
        WHERE workspace_id = :workspace AND kind LIKE '%completed' AND state = 'sent' GROUP BY 1
        """,
        workspace=office.workspace_id,
    )
    assert {tuple(row) for row in mails} == {
        ("completed", SESSIONS, SESSIONS),
        ("issuer_completed", SESSIONS, SESSIONS),
    }


async def assert_one_workflow_each(office: Office, ledger: Ledger) -> None:
    """No row without its workflow, no workflow without its row, none twice; all of them ended."""
    settings = office.house.settings
    temporal = await Client.connect(
        settings.temporal_address, namespace=settings.temporal_namespace
    )
    wanted = {public_session_id(each) for each in ledger.parties.values()}

    async def ended() -> dict[str, list[WorkflowExecutionStatus | None]]:
        found: dict[str, list[WorkflowExecutionStatus | None]] = {}
        async for each in temporal.list_workflows("WorkflowType = 'PublicSession'"):
            if each.id in wanted:
                found.setdefault(each.id, []).append(each.status)
        whole = all(each == [WorkflowExecutionStatus.COMPLETED] for each in found.values())
        return found if whole and found.keys() == wanted else {}

    await until(ended, "one completed workflow each", SETTLED_WITHIN)
