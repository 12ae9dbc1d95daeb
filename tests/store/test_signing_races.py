"""Windows, versions and signatures at the same moment: one holder, one version, no stale signature.

The figures are the promises': RELIABILITY says them as "accepted: 0".
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import select

from commands.signing import Signing
from domain.agreement_errors import AgreementSigned, AgreementStale
from store.audit import AuditRow
from tests.rooms.agreements import DRAWN, Desk, write_of
from tests.rooms.house import bare_house, furnish

pytestmark = [pytest.mark.timeout(240), pytest.mark.load]


@pytest_asyncio.fixture(scope="module")
async def desk(module_database_url: str) -> AsyncIterator[Desk]:
    """A desk in a house where a contestant may wait for long."""
    limits: dict[str, Any] = {"database_lock_timeout": timedelta(seconds=10)}
    async with bare_house(module_database_url, **limits) as house:
        await furnish(house)
        yield Desk(house)


def fence(found: Signing) -> int:
    assert found.row is not None
    return found.row.fence


async def test_of_two_takeovers_at_once_exactly_one_owns_it_a_thousand_times(desk: Desk) -> None:
    # EX-21, C1
    whole = await desk.sent("Vera Ltd")
    visitor = await desk.visitor(whole)
    await desk.open(visitor, "first")
    for number in range(1000):
        names = (f"a{number}", f"b{number}")
        both = [desk.open(visitor, each, take_over=True) for each in names]
        one, other = await asyncio.gather(*both)
        assert {fence(one), fence(other)} == {2 * number + 2, 2 * number + 3}
        if number % 20 == 0:
            kept = [
                desk.keep(visitor, write_of(each, window=name), {"title-1": name})
                for name, each in zip(names, (one, other), strict=True)
            ]
            ended = await asyncio.gather(*kept, return_exceptions=True)
            assert Counter(type(each).__name__ for each in ended) == {"Answers": 1, "WindowLost": 1}


async def test_a_signature_on_a_version_that_was_replaced_is_refused_a_hundred_times(
    desk: Desk,
) -> None:
    # EX-1, EX-20, N7
    whole = await desk.sent("Vera Ltd")
    visitor = await desk.visitor(whole)
    opened = await desk.open(visitor)
    now = await desk.change(whole, {"message": "Please read again.", "title": "Supply, second"})
    for number in range(100):
        with pytest.raises(AgreementStale):
            await desk.sign(visitor, write_of(opened))
        if number % 10 == 0:
            now = await desk.change(now, {"title": f"Supply, {number}"})
    assert (await desk.now(whole.row.id)).signers[0].signed_at is None


async def test_of_a_signature_and_a_new_version_at_once_one_is_refused(desk: Desk) -> None:
    # EX-1, EX-19: whichever comes first; the other one is told.
    fared: Counter[str] = Counter()
    for number in range(60):
        whole = await desk.sent(f"Signer{number} Ltd")
        visitor = await desk.visitor(whole)
        opened = await desk.open(visitor)
        ended = await asyncio.gather(
            desk.sign(visitor, write_of(opened), {"signature-1": DRAWN}),
            desk.change(whole, {"title": "Changed"}),
            return_exceptions=True,
        )
        (name,) = [type(each).__name__ for each in ended if isinstance(each, Exception)]
        fared[name] += 1
        after = await desk.now(whole.row.id)
        signed = after.signers[0].signed_version
        assert signed in {None, after.row.version}
    assert set(fared) <= {AgreementStale.__name__, AgreementSigned.__name__}


async def test_of_sixteen_signatures_of_one_window_one_counts(desk: Desk) -> None:
    # SX-5
    whole = await desk.sent("Double Click Ltd")
    visitor = await desk.visitor(whole)
    write = write_of(await desk.open(visitor))
    ended = await asyncio.gather(
        *(desk.sign(visitor, write) for _ in range(16)), return_exceptions=True
    )
    assert Counter(type(each).__name__ for each in ended) == {"Room": 1, "SessionEnded": 15}
    found = select(AuditRow.event).where(AuditRow.session_id == visitor.session_id)
    async with desk.house.transactions.work() as work:
        events = (await work.db.scalars(found)).all()
    assert Counter(events)["agreement.signed"] == 1
