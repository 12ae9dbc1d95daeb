"""Parties where signers are chosen: whoever several are like can be told apart and be chosen."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
import pytest_asyncio
from httpx2 import Response

from tests.api.members import Console, open_console
from tests.api.test_console_agreements import AGREEMENTS, agreement, inputs, new, opened, saved
from tests.rooms.agreements import Desk
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


@pytest.fixture
def desk(console: Console) -> Desk:
    return Desk(console.house)


def listed(page: Response) -> list[str]:
    """What the list of parties offers."""
    found = re.search(r'<datalist id="parties">(.*?)</datalist>', page.text, re.DOTALL)
    assert found
    return [unescape(each) for each in re.findall(r'value="([^"]*)"', found[1])]


async def test_two_that_are_alike_are_listed_apart_and_either_is_chosen(
    console: Console, desk: Desk
) -> None:
    first, second = await desk.party(), await desk.party()
    other = await desk.party("Walt Ltd")
    async with console.signed_in() as anna:
        newest, *rest = listed(await anna.get(f"{AGREEMENTS}/new"))
        assert newest == f"Walt Ltd <{other.email}>"
        ends = {f"Vera Ltd <{first.email}> #{each.id.hex[-8:]}" for each in (first, second)}
        assert set(rest) == ends
        refused = await new(anna, title="Typed", signer=[f"Vera Ltd <{first.email}>"])
        assert refused.status_code == 422
        assert "Several parties fit. Enter one of these: Vera Ltd <" in words(refused)
        for each in ends:
            assert each in words(refused)
        page = await anna.follow(await new(anna, signer=rest))
        assert "Edit the draft" in words(page)
    whole = await desk.now((await agreement(console)).id)
    assert {each.party_id for each in whole.signers} == {first.id, second.id}


async def test_in_the_editor_too(console: Console, desk: Desk) -> None:
    first, second = await desk.party(), await desk.party()
    whole = await desk.draft()
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        refused = await saved(anna, page, new_signer=first.email)
        assert 'href="#new_signer">Several parties fit.' in refused.text
        assert inputs(refused)["new_signer"] == first.email
        named = f"{first.email} #{second.id.hex[-8:]}"
        page = await saved(anna, refused, new_signer=named)
        assert inputs(page)["signer.0.party"] == str(second.id)
        again = await saved(anna, page, new_signer=named)
        assert "This party is a signer already." in words(again)
        nobody = await saved(anna, page, new_signer=f"{first.email} #00000000")
        assert "There is no party with this address." in words(nobody)


@pytest.mark.parametrize(
    "typed", ["{}", "<{}>", "Vera Ltd <{}>", "Anybody <{}>", " Vera #1 <Ltd> <{}>"]
)
async def test_whoever_is_the_only_one_is_found_by_the_address(
    console: Console, desk: Desk, typed: str
) -> None:
    vera = await desk.house.create(kind="signer", name="Vera Ltd", email="ve#ra@vendor.example")
    whole = await desk.draft()
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        page = await saved(anna, page, new_signer=typed.format("Ve#ra@vendor.example"))
        assert inputs(page)["signer.0.party"] == str(vera.party.id)
