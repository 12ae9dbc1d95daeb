"""The members' page of administrators: looked at, invited, changed, sessions ended (PS-41)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from domain.member import Role
from store.audit import AuditRow
from store.member import MemberRow
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.member_browser import EMAIL, make_member
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


async def members(console: Console) -> dict[str, MemberRow]:
    return {each.email: each for each in await console.house.all(MemberRow)}


async def test_administrators_see_everybody_with_role_and_state(console: Console) -> None:
    async with console.signed_in() as anna:
        page = await anna.get("/members")
        assert f"{anna.base}/members" in (await anna.get()).text
    for said in ("Anna Berg", "Ben Okri", BEN, "Auditor", "Active"):
        assert said in words(page)


async def test_nobody_else_sees_or_changes_anybody(console: Console) -> None:
    # EE-16
    path = f"/members/{console.anna.id}"
    async with console.signed_in() as anna, console.signed_in(email=BEN) as ben:
        await anna.get()
        session = next(
            each
            for each in await console.house.all(MemberSessionRow)
            if each.member_id == console.anna.id
        )
        end = f"{path}/sessions/{session.id}/end"
        for get in ("/members", path, f"{path}/disable", "/members/invite", end):
            page = await ben.get(get)
            assert page.status_code == 403, get
            assert "Access Denied : Members" in words(page)
        for post in (f"{path}/disable", f"{path}/role", "/members/invite", end):
            assert (await ben.post(post, role="auditor")).status_code == 403, post
        assert (await anna.get()).status_code == 200


async def test_a_lock_is_shown_with_its_cause_and_cleared(console: Console) -> None:
    # SX-16
    async with console.browser() as browser:
        for _ in range(10):
            await browser.sign_in(BEN, "wrong")
    path = f"/members/{console.ben.id}"
    async with console.signed_in() as anna:
        for page in (await anna.get("/members"), await anna.get(path)):
            assert "Signing in is locked after 10 wrong passwords." in words(page)
            assert f'href="{anna.base}{path}/unlock"' in page.text
        assert "Clear the lock of Ben Okri?" in words(await anna.get(f"{path}/unlock"))
        cleared = await anna.follow(await anna.post(f"{path}/unlock"))
        assert "The lock is cleared" in words(cleared)
        assert "Signing in is locked" not in words(cleared)
    async with console.signed_in(email=BEN):
        pass


async def test_a_member_is_disabled_and_enabled_after_a_question(console: Console) -> None:
    path = f"/members/{console.ben.id}"
    async with console.signed_in() as anna, console.signed_in(email=BEN) as ben:
        asked = await anna.get(f"{path}/disable")
        assert "Disable the account of Ben Okri?" in words(asked)
        assert (await ben.get()).status_code == 200
        disabled = await anna.follow(await anna.post(f"{path}/disable"))
        assert "The account is disabled" in words(disabled)
        assert (await ben.get()).status_code == 303
        await anna.post(f"{path}/enable")
    assert (await members(console))[BEN].state == "active"
    assert await console.ends() == ["killed"]


async def test_a_role_is_changed_after_a_question(console: Console) -> None:
    path = f"/members/{console.ben.id}/role"
    async with console.signed_in() as anna:
        asked = await anna.get(f"{path}?role=publisher")
        assert "Make Ben Okri Publisher?" in words(asked)
        assert (await anna.get(f"{path}?role=king")).status_code == 404
        assert (await members(console))[BEN].role == "auditor"
        assert (await anna.post(path, role="publisher")).status_code == 303
    assert (await members(console))[BEN].role == "publisher"
    rows = [each for each in await console.house.all(AuditRow) if each.event == "member.changed"]
    assert [each.actor for each in rows] == [f"member:{console.anna.id}"]


@pytest.mark.parametrize(("verb", "fields"), [("disable", {}), ("role", {"role": "auditor"})])
async def test_the_last_administrator_stays(
    console: Console, verb: str, fields: dict[str, str]
) -> None:
    async with console.signed_in() as anna:
        page = await anna.post(f"/members/{console.anna.id}/{verb}", **fields)
        assert page.status_code == 409
        assert "This is the only administrator." in words(page)
        assert (await anna.get()).status_code == 200


async def test_somebody_is_invited_and_again(console: Console) -> None:
    fields = {"email": "cleo@office.example", "name": "Cleo", "role": "publisher", "locale": "de"}
    async with console.signed_in() as anna:
        assert "Invite somebody" in words(await anna.get("/members/invite"))
        page = await anna.follow(await anna.post("/members/invite", **fields))
        assert "The invitation is on its way" in words(page)
        cleo = (await members(console))["cleo@office.example"]
        assert (cleo.role, cleo.locale, cleo.state) == ("publisher", "de", "invited")
        again = f"/members/{cleo.id}/invite"
        assert "Invite Cleo again?" in words(await anna.get(again))
        assert (await anna.post(again)).status_code == 303
        refused = await anna.post(f"/members/{console.ben.id}/invite")
        assert refused.status_code == 409
        assert "not waiting for an invitation" in words(refused)


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"email": "nobody"}, 422, "Type one mail address"),
        ({"email": EMAIL}, 409, "Somebody with this address is a member already."),
        ({"name": " \0"}, 422, "Type a name of 1 to 200 characters."),
        ({"locale": "?"}, 422, "Choose one of these."),
    ],
)
async def test_faults_of_an_invitation_are_at_their_field(
    console: Console, changed: dict[str, Any], status: int, said: str
) -> None:
    fields = {"email": "cleo@office.example", "name": "Cleo <b>", "locale": "en"} | changed
    async with console.signed_in() as anna:
        page = await anna.post("/members/invite", **fields)
    assert page.status_code == status
    assert words(page).count(said) == 2
    assert "name" in changed or 'value="Cleo &lt;b&gt;"' in page.text
    assert len(await members(console)) == 2


async def test_a_members_session_is_ended_after_a_question(console: Console) -> None:
    # SH-14, SH-19
    path = f"/members/{console.ben.id}"
    async with console.signed_in() as anna, console.signed_in(email=BEN) as ben:
        rows = {each.member_id: each for each in await console.house.all(MemberSessionRow)}
        end = f"{path}/sessions/{rows[console.ben.id].id}/end"
        assert f'href="{anna.base}{end}"' in (await anna.get(path)).text
        assert "End this session?" in words(await anna.get(end))
        # Not under another member's name.
        assert (
            await anna.post(end.replace(str(console.ben.id), str(console.anna.id)))
        ).status_code == 404
        assert (await ben.get()).status_code == 200
        assert "The session has ended." in words(await anna.follow(await anna.post(end)))
        assert (await ben.get()).status_code == 303
        assert (await anna.get(end)).status_code == 404
        mine = await anna.get(f"/members/{console.anna.id}")
        assert "This browser" in words(mine)
        assert "/end" not in mine.text


@pytest.mark.parametrize("path", ["nobody", "nobody/disable", "{id}/explode", "{other}"])
async def test_what_is_not_there_is_no_page(console: Console, path: str) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    async with console.signed_in() as anna:
        page = await anna.get(f"/members/{path.format(id=console.ben.id, other=other)}")
    assert page.status_code == 404


async def test_long_lists_go_on(console: Console) -> None:
    async with console.signed_in() as anna:
        for number in range(50):
            fields = {"email": f"m{number}@office.example", "name": f"M{number}", "locale": "en"}
            await anna.post("/members/invite", **fields)
        first = await anna.get("/members")
        assert "Anna Berg" not in words(first).split("More")[0].split("Members")[-1]
        cursor = first.text.partition("/members?cursor=")[2].partition('"')[0]
        assert "Ben Okri" in words(await anna.get(f"/members?cursor={cursor}"))
        assert (await anna.get("/members?cursor=nonsense")).status_code == 422


async def test_another_workspaces_members_are_not_there(
    console: Console, database_url: str
) -> None:
    async with console.signed_in() as anna:
        await make_member(console.house, "dora@office.example", "Dora", Role.PUBLISHER)
        assert "Dora" in words(await anna.get("/members"))
