"""N3, RELIABILITY 25: `kill -9` of the worker while it seals leaves each document sealed once."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from uuid import UUID

import anyio
import pytest
from pikepdf import Pdf
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from domain.workflow_names import agreement_id
from tests.e2e.house import Office, until
from tests.e2e.signer import sent_agreement, session_of, sign

pytestmark = pytest.mark.timeout(240)

PAGES = 12
COMPUTING = 0.7
"""Seconds after its first step has begun, a seal of so many pages is being made."""


@dataclass(frozen=True, slots=True)
class Seals:
    """Agreements that all have signed, and how far Temporal is with them."""

    office: Office
    temporal: Client

    async def signed(self, *who: str) -> UUID:
        """An agreement that these people have signed; its seal has begun."""
        agreement = await sent_agreement(self.office, *who, pages=PAGES)
        for position in range(1, len(who) + 1):

            async def asked(at: int = position) -> UUID | None:
                return await session_of(self.office, agreement["id"], at)

            session = await until(asked, f"signer {position} is asked", 30)
            assert session is not None
            await sign(self.office, session, position)
        signed = UUID(agreement["id"])
        await until(partial(self.is_under_way, signed), "its seal has begun", 30, 0.02)
        return signed

    async def _described(self, agreement: UUID) -> WorkflowExecutionDescription:
        return await self.temporal.get_workflow_handle(agreement_id(agreement)).describe()

    async def is_under_way(self, agreement: UUID) -> bool:
        """Whether a worker has taken the sealing up and Temporal has not heard that it is over."""
        pending = (await self._described(agreement)).raw_description.pending_activities
        started = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        return [(each.activity_type.name, each.state) for each in pending] == [("seal", started)]

    async def is_over(self, agreement: UUID) -> bool:
        """Whether the workflow has ended well."""
        status = (await self._described(agreement)).status
        return status is WorkflowExecutionStatus.COMPLETED

    async def is_kept(self, agreement: UUID) -> bool:
        """Whether the sealed document is in the database."""
        return bool(await papers(self.office, agreement))


async def test_a_worker_that_is_killed_while_it_seals_leaves_one_sealed_document(
    fragile_office: Office,
) -> None:
    office = fragile_office
    settings = office.house.settings
    temporal = await Client.connect(
        settings.temporal_address, namespace=settings.temporal_namespace
    )
    seals = Seals(office, temporal)
    await office.post("signing-certificate", {})

    # In the middle of one, and at the beginning of another.
    older = await seals.signed("vera0", "boris0")
    begun_at = time.monotonic()
    newer = await seals.signed("vera1")
    await anyio.sleep(max(0.0, begun_at + COMPUTING - time.monotonic()))
    assert not await seals.is_kept(newer)
    assert await seals.is_under_way(newer)
    office.house.kill("worker")
    office.house.start("worker")
    for each in (older, newer):
        await until(partial(seals.is_over, each), "it is sealed", 60)
    await once(office, older, copies=2)
    await once(office, newer, copies=1)

    # After it was kept, before Temporal was told.
    last = await seals.signed("vera2", "boris2")
    with stopped(office.house.temporal.child.pid):
        await until(partial(seals.is_kept, last), "it is kept", 30, 0.02)
        office.house.kill("worker")
    assert await seals.is_under_way(last)
    office.house.start("worker")
    await until(partial(seals.is_over, last), "it is over", 60)
    await once(office, last, copies=2)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def papers(office: Office, agreement: UUID) -> int:
    """How many papers of an agreement are of none of its versions: sealed ones."""
    (found,) = await office.sql(
        "SELECT count(*) FROM paper p WHERE owner_id = :id AND NOT EXISTS"
        " (SELECT 1 FROM agreement_version v WHERE v.paper_id = p.id)",
        id=agreement,
    )
    return int(found[0])


async def once(office: Office, agreement: UUID, *, copies: int) -> None:
    """One sealed paper, one event, one copy to each; and the document opens."""
    events = await office.sql(
        "SELECT count(*) FROM audit WHERE subject = :subject AND event = 'agreement.sealed'",
        subject=f"agreement:{agreement}",
    )
    mailed = await office.sql(
        "SELECT count(*) FROM mail m JOIN agreement_signer s ON s.session_id = m.session_id"
        " WHERE s.agreement_id = :id AND m.kind = 'signed_copy'",
        id=agreement,
    )
    assert (await papers(office, agreement), events[0][0], mailed[0][0]) == (1, 1, copies)
    answer = await office.client.get(f"/api/v1/agreements/{agreement}/sealed.pdf")
    assert answer.status_code == 200
    with Pdf.open(BytesIO(answer.content)) as pdf:
        assert len(pdf.pages) > PAGES
