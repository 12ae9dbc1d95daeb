"""A document that is far too large: said truly, and nothing that was typed beside it is lost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from commands.agreement_source import MOST_BYTES
from domain.upload import MIB
from tests.api.members import Console, open_console
from tests.api.test_console_agreements import AGREEMENTS, new, opened, window_of
from tests.rooms.agreements import Desk
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


@pytest.mark.parametrize(
    ("size", "given"),
    [(MOST_BYTES + 1, "10.1 MB"), (20 * MIB, "20.0 MB"), (41 * MIB, "41.0 MB")],
)
async def test_the_reason_has_the_size_and_the_form_what_was_typed(
    console: Console, size: int, given: str
) -> None:
    file = ("large.pdf", b"%PDF-" + bytes(size - 5), "application/pdf")
    async with console.signed_in() as anna:
        page = await new(anna, file=file, title="Typed", signer="nobody@vendor.example")
    assert page.status_code == 422
    assert f"a file may have at most 10 MB, and this one has {given}" in words(page)
    for typed in ("Typed", "nobody@vendor.example"):
        assert f'value="{typed}"' in page.text


async def test_more_than_is_read_at_all_is_said_of_the_file(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another document is put in the place of one, and where a certificate is brought."""
    monkeypatch.setattr("api.agreement_source_form.MOST_READ", 64 * 1024)
    large = ("large.pdf", bytes(512 * 1024), "application/pdf")
    async with console.signed_in() as anna:
        page = await opened(anna, (await Desk(console.house).draft()).row.id)
        address = str(page.url).partition("?")[0]
        posts = {
            f"{anna.base}{AGREEMENTS}/new": "10 MB",
            f"{address}/document": "10 MB",
            f"{anna.base}/settings/signing-certificate": "256 kB",
        }
        for post, limit in posts.items():
            answer = await anna.party.client.post(
                post,
                data={"window": window_of(page), "step": "import"},
                files={"pdf": large},
                headers=anna.party.sent,
            )
            assert answer.status_code == 413
            assert f"A file may have at most {limit}. Nothing was saved" in words(answer), post
