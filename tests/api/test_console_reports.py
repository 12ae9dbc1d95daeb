"""The reports as pages and files, for administrators and auditors (EE-15, EE-16)."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.member import Role
from tests.api.members import BEN, Console, open_console
from tests.rooms.member_browser import make_member
from tests.rooms.party_browser import words

CARL = "carl@office.example"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


def rows_of(page: str) -> list[str]:
    """The lines of the table."""
    return page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]


async def test_sign_ins_are_shown_filtered_and_kept_as_a_file(console: Console) -> None:
    # EE-15
    async with console.browser() as browser:
        await browser.sign_in(password="wrong")
    async with console.signed_in(email=BEN) as ben:
        failed, right = "outcome=failed", f"member={console.ben.id}"
        page = (await ben.get("/reports/logins")).text
        assert ["Guest" in each for each in rows_of(page)] == [False, True]
        assert "Firefox on Windows" in page
        assert len(rows_of((await ben.get(f"/reports/logins?{failed}")).text)) == 1
        assert len(rows_of((await ben.get(f"/reports/logins?{right}")).text)) == 1
        assert "There is nothing to show." in words(
            await ben.get(f"/reports/logins?{failed}&{right}")
        )
        assert (
            f"/reports/logins?{failed}&amp;format=csv"
            in (await ben.get(f"/reports/logins?{failed}")).text
        )
        answer = await ben.get(f"/reports/logins?{failed}&format=csv")
    head, *lines = csv.reader(io.StringIO(answer.text))
    assert head == ["time", "person", "status", "mode", "device"]
    assert [each[1:3] for each in lines] == [["Guest", "failed"]]
    assert answer.headers["content-type"].startswith("text/csv")


async def test_pages_and_people_are_shown_and_denials_in_their_words(console: Console) -> None:
    # EE-16, EE-21
    async with console.signed_in(email=BEN) as ben:
        await ben.get("/members")
        await ben.get("/account")
        denial, opened = "Access Denied : Members", "Account"
        all_of_them = rows_of((await ben.get("/reports/access")).text)
        assert opened in all_of_them[0]
        assert denial in all_of_them[1]
        assert "Ben Okri" in all_of_them[1]
        (denied,) = rows_of((await ben.get("/reports/access?denied=yes")).text)
        assert denial in denied
        file = await ben.get("/reports/access?denied=yes&format=csv")
    assert [each[1] for each in csv.reader(io.StringIO(file.text))] == ["page", denial]


async def test_days_are_those_of_the_readers_zone(console: Console) -> None:
    """Nine in the morning of 2 March, in Berlin; the last day is part of it."""
    async with console.signed_in(email=BEN) as ben:
        day = console.house.clock().date().isoformat()
        for query, count in (
            (f"since={day}&until={day}", 1),
            ("since=2999-01-01", 0),
            ("until=1999-01-01", 0),
        ):
            page = await ben.get(f"/reports/logins?{query}")
            assert len(rows_of(page.text)) == count, query


@pytest.mark.parametrize("typed", ["tomorrow", "9999-12-31", "0001-01-01", "2026-02-30"])
async def test_a_day_that_is_none_is_told_at_its_field(console: Console, typed: str) -> None:
    async with console.signed_in(email=BEN) as ben:
        for query in (f"until={typed}", f"until={typed}&format=csv"):
            page = await ben.get(f"/reports/logins?{query}")
            assert page.status_code == 422
            assert "Type a day such as 2026-12-31." in words(page)
            assert f'value="{typed}"' in page.text
            assert rows_of(page.text) == []


async def test_who_may_not_is_told(console: Console) -> None:
    # EE-16
    await make_member(console.house, CARL, "Carl", Role.PUBLISHER)
    async with console.signed_in(email=CARL) as carl:
        for path, name in (("logins", "Log: Login"), ("access", "Log: Application")):
            for query in ("", "?format=csv"):
                page = await carl.get(f"/reports/{path}{query}")
                assert page.status_code == 403
                assert f"Access Denied : {name}" in words(page)
        assert "/reports/" not in (await carl.get()).text


async def test_long_reports_go_on_with_their_filters(console: Console) -> None:
    async with console.signed_in(email=BEN) as ben:
        for _ in range(51):
            await ben.get("/account")
        first = (await ben.get(f"/reports/access?member={console.ben.id}")).text
        assert len(rows_of(first)) == 50
        query = first.partition("/reports/access?member=")[2].partition('"')[0]
        assert "cursor=" in query
        rest = await ben.get(f"/reports/access?member={query.replace('&amp;', '&')}")
        assert 1 <= len(rows_of(rest.text)) < 50
        assert (await ben.get("/reports/access?cursor=nonsense")).status_code == 422
