"""A signer's windows and signature, on a real database (EX-1, EX-9 to EX-21)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.agreement_errors import AgreementStale, ChangesUnconfirmed, WindowHeld, WindowLost
from domain.window import WindowEnd
from tests.rooms.agreements import DRAWN, OTHER_PAPER, Desk, place, write_of
from tests.rooms.house import House


@pytest_asyncio.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    """A desk in a furnished house."""
    yield Desk(house)


async def test_a_signer_opens_fills_and_signs(desk: Desk) -> None:
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    opened = await desk.open(visitor)
    assert (await desk.now(whole.row.id)).row.state == "active"
    await desk.keep(visitor, write_of(opened), {"title-1": "CEO"})
    room = await desk.sign(visitor, write_of(opened), {"title-1": "CEO", "signature-1": DRAWN})
    assert room.value.end_reason == "completed"
    after = await desk.now(whole.row.id)
    assert after.signers[0].signed_version == 1
    assert after.signers[0].values == {"title-1": "CEO", "signature-1": DRAWN}
    assert after.row.signed_at == desk.house.clock()


async def test_a_second_window_is_asked_and_takes_over(desk: Desk) -> None:
    """EX-9, EX-10, EX-12, EX-13: the dialog, *Open Here*, and what the first window is told."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    first = await desk.open(visitor, "w1")
    with pytest.raises(WindowHeld):
        await desk.open(visitor, "w2")
    second = await desk.open(visitor, "w2", take_over=True)
    assert (first.row.fence, second.row.fence) == (1, 2) if first.row and second.row else False
    with pytest.raises(WindowLost) as lost:
        await desk.sign(visitor, write_of(first, window="w1"))
    assert lost.value.reason == WindowEnd.OPENED_ELSEWHERE


async def test_a_new_version_is_shown_and_confirmed_before_signing(desk: Desk) -> None:
    """EX-19, EX-20, N7: nothing lands on an old version; what still fits is kept."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    opened = await desk.open(visitor)
    await desk.keep(visitor, write_of(opened), {"title-1": "CEO"})
    fields = [place("price", "text", None, value="120 EUR"), *whole.version.fields[1:]]
    fields = [{k: v for k, v in each.items() if (k, v) != ("value", "")} for each in fields]
    await desk.change(whole, {"fields": fields}, OTHER_PAPER)
    with pytest.raises(AgreementStale):
        await desk.sign(visitor, write_of(opened))
    again = await desk.open(visitor)
    assert [each.key for each in again.changes] == ["page-2", "field-price"]
    assert again.values == {"title-1": "CEO"}
    with pytest.raises(ChangesUnconfirmed):
        await desk.sign(visitor, write_of(again))
