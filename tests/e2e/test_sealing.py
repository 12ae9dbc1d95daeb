"""N3, RELIABILITY 25: `kill -9` of the worker while it seals leaves each document sealed once."""

from io import BytesIO
from uuid import UUID

import anyio
import pytest
from pikepdf import Pdf

from tests.e2e.house import Office, until
from tests.e2e.signer import sent_agreement, session_of, sign

pytestmark = pytest.mark.timeout(240)

PAGES = 12
KILLED_AFTER = (0.2, 0.5, 0.9, 1.4)
"""Seconds after the last signature; a seal of so many pages takes about one."""


async def test_a_worker_that_is_killed_while_it_seals_leaves_one_sealed_document(
    fragile_office: Office,
) -> None:
    office = fragile_office
    await office.post("signing-certificate", {})
    for number, seconds in enumerate(KILLED_AFTER):
        agreement = await sent_agreement(office, f"vera{number}", f"boris{number}", pages=PAGES)
        for position in (1, 2):

            async def asked(one: str = agreement["id"], at: int = position) -> UUID | None:
                return await session_of(office, one, at)

            session = await until(asked, f"signer {position} is asked", 30)
            assert session is not None
            await sign(office, session, position)
        await anyio.sleep(seconds)
        office.house.kill("worker")
        office.house.start("worker")

        async def is_done(one: str = agreement["id"]) -> bool:
            return bool((await office.get(f"agreements/{one}"))["state"] == "done")

        await until(is_done, "it is sealed", 60)
        await once(office, agreement["id"])


async def once(office: Office, agreement: str) -> None:
    """One sealed paper, one event, one copy to each; and the document opens."""
    papers = await office.sql(
        "SELECT count(*) FROM paper p WHERE owner_id = :id AND NOT EXISTS"
        " (SELECT 1 FROM agreement_version v WHERE v.paper_id = p.id)",
        id=agreement,
    )
    events = await office.sql(
        "SELECT count(*) FROM audit WHERE subject = :subject AND event = 'agreement.sealed'",
        subject=f"agreement:{agreement}",
    )
    copies = await office.sql(
        "SELECT count(*) FROM mail m JOIN agreement_signer s ON s.session_id = m.session_id"
        " WHERE s.agreement_id = :id AND m.kind = 'signed_copy'",
        id=agreement,
    )
    assert (papers[0][0], events[0][0], copies[0][0]) == (1, 1, 2)
    answer = await office.client.get(f"/api/v1/agreements/{agreement}/sealed.pdf")
    assert answer.status_code == 200
    with Pdf.open(BytesIO(answer.content)) as pdf:
        assert len(pdf.pages) > PAGES
