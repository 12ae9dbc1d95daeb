"""Records one history of each outcome: `python -m tests.replay.record`.

To be run by hand when a release changes what a workflow does. A history that is there is never
recorded anew, for workflows that are under way replay it: one that no release made yet is deleted
first.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

import worker
from adapters.embedded.postgres import start_postgres
from adapters.embedded.temporal_server import program
from adapters.temporal import Telegraph
from commands.public_session import extend, revoke
from commands.room import decline_room
from domain.workflow_names import (
    HOUSEKEEPING,
    HOUSEKEEPING_QUEUE,
    HOUSEKEEPING_SCHEDULE,
    upload_check_id,
)
from store import housekeeping
from store.migrate import upgrade
from tests.replay.agreements import (
    agreement_cancelled,
    agreement_done,
    signing_session_bound,
    signing_session_signed,
)
from tests.rooms.files import EICAR
from tests.rooms.upload_checks import checking
from tests.rooms.works import Works, eventually, works

HISTORIES = Path(__file__).parent / "histories"
IDENTITY = "recorder"
REMINDERS = {"days_before_end": [3, 1]}
TO_PARTY = "vera@vendor.example"

Recording = Callable[[Works], Awaitable[WorkflowHistory]]


async def issued(at: Works) -> UUID:
    """A vendor's intake whose invitation has arrived."""
    session_id = await at.issue(email=TO_PARTY)
    await at.sent(session_id)
    return session_id


async def ended(at: Works, session_id: UUID) -> WorkflowHistory:
    """The history of a session, once it is over."""
    await at.outcome(session_id)
    return await at.history(session_id)


async def completed(at: Works) -> WorkflowHistory:
    """Reminded once, two browsers, one of which idled out, then every task."""
    session_id = await issued(at)
    await at.house.enter(session_id, "door-1")
    await at.courier.drain()
    await at.sleep(days=12)
    await at.complete_all(session_id)
    return await ended(at, session_id)


async def expired(at: Works) -> WorkflowHistory:
    """Reminded twice, never opened."""
    return await ended(at, await issued(at))


async def declined(at: Works) -> WorkflowHistory:
    """Declined by the party."""
    session_id = await issued(at)
    visitor = await at.house.enter(session_id)
    async with at.house.transactions.work() as work:
        await decline_room(work, visitor, "We no longer sell this.")
    return await ended(at, session_id)


async def revoked(at: Works) -> WorkflowHistory:
    """Revoked by a member after one task."""
    session_id = await issued(at)
    visitor = await at.house.enter(session_id)
    await at.house.complete(visitor, "profile")
    async with at.house.transactions.work() as work:
        await revoke(work, at.house.target(await at.house.session(session_id)), "left")
    return await ended(at, session_id)


async def revoked_by_operator(at: Works) -> WorkflowHistory:
    """Revoked by a bare signal."""
    session_id = await issued(at)
    await at.workflow(session_id).signal("revoke", {})
    return await ended(at, session_id)


async def extended(at: Works) -> WorkflowHistory:
    """Extended after the first reminder, then expired."""
    session_id = await issued(at)
    row = await at.house.session(session_id)
    await at.sleep_until(row.expires_at - timedelta(days=2))
    async with at.house.transactions.work() as work:
        target = at.house.target(row)
        await extend(work, target, row.expires_at + timedelta(days=7), "on leave")
    return await ended(at, session_id)


async def running(at: Works) -> WorkflowHistory:
    """Bound and reminded, and not over."""
    session_id = await issued(at)
    await at.house.enter(session_id)
    await at.courier.drain()
    await at.sleep(days=12)
    return await at.history(session_id)


async def mail_sent(at: Works) -> WorkflowHistory:
    """Sent at the third attempt."""
    at.office.answers[TO_PARTY].extend(["451 later"] * 2)
    return await _invitation(at)


async def mail_refused(at: Works) -> WorkflowHistory:
    """Refused at once."""
    at.office.answers[TO_PARTY].append("550 5.1.1 no such user")
    return await _invitation(at)


async def _invitation(at: Works) -> WorkflowHistory:
    session_id = await at.issue(email=TO_PARTY)
    (mail,) = await at.house.mails(session_id, "invitation")

    async def noted() -> bool:
        return bool((await at.house.mails(session_id))[0].attempts)

    await eventually(noted)
    await at.mail_outcome(mail.id)
    return await at.mail(mail.id).fetch_history()


async def housekept(at: Works) -> WorkflowHistory:
    """Every step done."""
    telegraph = Telegraph(at.client, timedelta(seconds=3))
    async with worker.housekeeping_worker(at.client, at.house.transactions, telegraph):
        handle = await at.client.start_workflow(
            HOUSEKEEPING, id=HOUSEKEEPING_SCHEDULE, task_queue=HOUSEKEEPING_QUEUE
        )
        await handle.result()
    return await handle.fetch_history()


async def housekept_but_one(at: Works) -> WorkflowHistory:
    """One step failed, the others were done."""

    async def fails(*_: object) -> int:
        raise ZeroDivisionError

    with patch.object(housekeeping, "purge_mails", fails):
        history = await housekept(at)
    for event in history.events:
        # It names this machine's folders, and nothing replays it.
        if event.HasField("activity_task_failed_event_attributes"):
            event.activity_task_failed_event_attributes.failure.ClearField("stack_trace")
    return history


async def upload_checked(at: Works, content: bytes) -> WorkflowHistory:
    """One uploaded file, checked at the first attempt."""
    with tempfile.TemporaryDirectory() as folder:
        async with checking(at, Path(folder)) as checked, checked.working():
            row = await checked.send(content)
            await checked.outcome(row)
            handle = at.client.get_workflow_handle(upload_check_id(row.id))
            return await handle.fetch_history()


async def upload_clean(at: Works) -> WorkflowHistory:
    """A file without a virus."""
    return await upload_checked(at, b"a;b\n")


async def upload_infected(at: Works) -> WorkflowHistory:
    """A file with one."""
    return await upload_checked(at, EICAR)


RECORDINGS: dict[str, Recording] = {
    "public_session-completed": completed,
    "public_session-expired": expired,
    "public_session-declined": declined,
    "public_session-revoked": revoked,
    "public_session-revoked_by_operator": revoked_by_operator,
    "public_session-extended": extended,
    "public_session-running": running,
    "mail-sent": mail_sent,
    "mail-refused": mail_refused,
    "upload_check-ready": upload_clean,
    "upload_check-infected": upload_infected,
    "agreement-done": agreement_done,
    "agreement-cancelled": agreement_cancelled,
    "signing_session-signed": signing_session_signed,
    "signing_session-bound": signing_session_bound,
    "housekeeping-done": housekept,
    "housekeeping-step_failed": housekept_but_one,
}


async def record(url: str, recording: Recording) -> WorkflowHistory:
    """One history, made on a server of its own."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"), identity=IDENTITY
    )
    async with environment, works(environment, url, reminders=REMINDERS) as at, at.working():
        return await recording(at)


async def record_all(url: str) -> None:
    """Writes every history down that is not there yet."""
    HISTORIES.mkdir(exist_ok=True)
    paths = {HISTORIES / f"{name}.json": recording for name, recording in RECORDINGS.items()}
    for path, recording in paths.items():
        if not path.exists():
            history = await record(url, recording)
            text = json.dumps(json.loads(history.to_json()), indent=1, sort_keys=True)
            path.write_text(text + "\n")


def main() -> None:
    """Records on a database and servers of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_postgres(Path(folder), durable=False)
        try:
            upgrade(server.url)
            asyncio.run(record_all(server.url))
        finally:
            server.stop()
            server.place.remove()


if __name__ == "__main__":
    main()
