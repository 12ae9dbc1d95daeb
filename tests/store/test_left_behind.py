"""What windows that lost their place had not saved: every one's is kept, and none is merged."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from commands.editing_session import Editor, let_go
from commands.editing_session import keep_left_behind as keep_editors
from commands.signing import Signing, SigningWrite
from commands.signing_left_behind import (
    keep_left_behind,
    let_go_left_behind,
    use_left_behind,
)
from commands.signing_session import confirm_changes
from domain.agreement_errors import WindowLost
from domain.audit import AuditEvent
from domain.left_behind import MOST_DRAFTS, Entry, LeftBehind
from domain.window import Place
from store.audit import AuditRow
from store.editing_session import EditingSessionRow
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import Desk, place, write_of
from tests.rooms.house import ANNA, House
from tests.store.test_commands_agreement import edit, member


@pytest_asyncio.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    """A desk in a furnished house."""
    yield Desk(house)


async def editors_drafts(desk: Desk) -> tuple[LeftBehind, ...]:
    (row,) = await desk.house.all(EditingSessionRow)
    return row.drafts


async def signers_drafts(desk: Desk) -> tuple[LeftBehind, ...]:
    (row,) = await desk.house.all(SigningSessionRow)
    return row.drafts


async def events(desk: Desk, event: AuditEvent) -> list[dict[str, Any]]:
    rows = await desk.house.all(AuditRow)
    return [each.told["details"] for each in rows if each.event == event]


async def test_two_editors_who_lost_leave_two_drafts(desk: Desk) -> None:
    # N8, C7
    whole = await desk.draft((await desk.party()).id)
    agreement = whole.row.id
    anna, carl = await member(desk, "Anna"), await member(desk, "Carl")
    await edit(desk, anna, agreement, "a")
    await edit(desk, carl, agreement, "b", take_over=True)

    async def keep(who: Any, window: str, fence: int, **changes: Any) -> bool:
        async with desk.house.transactions.work() as work:
            editor = Editor(who, ANNA, agreement, window)
            return await keep_editors(work, editor, Place(window, fence), changes)

    assert await keep(anna, "a", 1, title="Anna's")
    await edit(desk, anna, agreement, "a", take_over=True)
    assert await keep(carl, "b", 2, message="Carl's")
    annas, carls = await editors_drafts(desk)
    assert (annas.content, annas.member) == ({"title": "Anna's"}, str(anna.member.id))
    assert (carls.content, carls.member) == ({"message": "Carl's"}, str(carl.member.id))
    assert await keep(anna, "a", 1, title="Anna's own")
    carls, later = await editors_drafts(desk)
    assert (carls.content, later.content) == ({"message": "Carl's"}, {"title": "Anna's own"})
    for fence in (0, 4):
        assert not await keep(carl, "b", fence, title="Never had it")

    editor, held = Editor(anna, ANNA, agreement, "a"), Place("a", 3)
    async with desk.house.transactions.work() as work:
        await let_go(work, editor, held, annas.id)  # saved anew since: not what is let go
        await let_go(work, editor, held, carls.id)
        with pytest.raises(WindowLost):
            await let_go(work, editor, Place("a", 1), later.id)
    assert await editors_drafts(desk) == (later,)
    told = await events(desk, AuditEvent.EDITING_LET_GO)
    assert told == [{"from": f"member:{carl.member.id}", "fence": 2}]


async def test_of_too_many_editors_drafts_the_oldest_is_let_go_and_audited(desk: Desk) -> None:
    whole = await desk.draft()
    anna = await member(desk, "Anna")
    for at in range(MOST_DRAFTS + 1):
        await edit(desk, anna, whole.row.id, f"w{at}", take_over=True)
        async with desk.house.transactions.work() as work:
            editor = Editor(anna, ANNA, whole.row.id, f"w{at}")
            await keep_editors(work, editor, Place(f"w{at}", at + 1), {"title": f"{at}"})
    kept = [each.content["title"] for each in await editors_drafts(desk)]
    assert kept == [str(each) for each in range(1, MOST_DRAFTS + 1)]
    assert [each["fence"] for each in await events(desk, AuditEvent.EDITING_LET_GO)] == [1]


class Losers:
    """A signer's windows, one after another, each of which takes over."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def come(self, *windows: str, **more: Any) -> list[SigningWrite]:
        self.whole = await self.desk.sent(**more)
        self.visitor = await self.desk.visitor(self.whole)
        opened: list[Signing] = [
            await self.desk.open(self.visitor, each, take_over=True) for each in windows
        ]
        return [write_of(each, window=name) for each, name in zip(opened, windows, strict=True)]

    async def keep(self, write: SigningWrite, **values: Any) -> bool:
        async with self.desk.house.transactions.work() as work:
            named = {name.replace("_", "-"): value for name, value in values.items()}
            return await keep_left_behind(work, self.visitor, write, named)

    async def use(self, write: SigningWrite, draft_id: str) -> None:
        async with self.desk.house.transactions.work() as work:
            await use_left_behind(work, self.visitor, write, draft_id)

    async def let_go(self, write: SigningWrite, draft_id: str) -> None:
        async with self.desk.house.transactions.work() as work:
            await let_go_left_behind(work, self.visitor, write, draft_id)

    async def values(self) -> Any:
        (row,) = await self.desk.house.all(SigningSessionRow)
        return row.values


@pytest.fixture
def losers(desk: Desk) -> Losers:
    return Losers(desk)


async def test_two_windows_of_a_signer_that_lost_leave_two_drafts(
    desk: Desk, losers: Losers
) -> None:
    # N8, C7
    first, second, third = await losers.come("w1", "w2", "w3")
    assert not await losers.keep(first)
    assert await losers.keep(first, title_1="CE")
    assert await losers.keep(second, title_1="CFO")
    assert await losers.keep(first, title_1="CEO")
    seconds, firsts = await signers_drafts(desk)
    assert (firsts.content, seconds.content) == ({"title-1": "CEO"}, {"title-1": "CFO"})
    assert await losers.values() == {}, "nothing is merged"
    await losers.use(third, "nobody's")
    await losers.let_go(third, "nobody's")
    assert len(await signers_drafts(desk)) == 2
    await losers.use(third, firsts.id)
    assert (await losers.values(), await signers_drafts(desk)) == ({"title-1": "CEO"}, (seconds,))
    await losers.let_go(third, seconds.id)
    assert (await losers.values(), await signers_drafts(desk)) == ({"title-1": "CEO"}, ())
    assert await events(desk, AuditEvent.SIGNING_LET_GO) == [{"task": "sign", "fence": 2}]
    assert not await losers.keep(first, title_1="CEO"), "it is saved by now"
    with pytest.raises(WindowLost):
        await losers.use(second, seconds.id)


async def test_of_too_many_signers_drafts_the_oldest_is_let_go_and_audited(
    desk: Desk, losers: Losers
) -> None:
    writes = await losers.come(*(f"w{at}" for at in range(MOST_DRAFTS + 1)))
    for at, each in enumerate(writes):
        await losers.keep(each, title_1=str(at))
    kept = [each.content["title-1"] for each in await signers_drafts(desk)]
    assert kept == [str(each) for each in range(1, MOST_DRAFTS + 1)]
    assert await events(desk, AuditEvent.SIGNING_LET_GO) == [{"task": "sign", "fence": 1}]


async def test_what_does_not_fit_is_kept_to_be_copied_and_never_taken_over(
    desk: Desk, losers: Losers
) -> None:
    # N8: a wrong date is not less typed than a right one.
    fields = [
        place("start", "date", 1, required=False),
        place("title-1", "text", 1, required=False),
        place("signature-1", "signature", 1),
    ]
    first, second = await losers.come("w1", "w2", fields=fields)
    assert await losers.keep(first, start="early in May", title_1="CEO", nobodys="x")
    (draft,) = await signers_drafts(desk)
    start = Entry("Start", "early in May")
    assert (draft.content, draft.unfit) == ({"title-1": "CEO"}, (start,))
    await losers.use(second, draft.id)
    assert await losers.values() == {"title-1": "CEO"}
    (draft,) = await signers_drafts(desk)
    assert (draft.content, draft.unfit) == ({}, (start,))
    await losers.let_go(second, draft.id)
    assert await signers_drafts(desk) == ()


async def test_a_field_that_is_gone_or_another_kind_by_now_loses_nothing_either(
    desk: Desk, losers: Losers
) -> None:
    # N7, N8
    fields = [
        place("role", "text", 1, required=False),
        place("title-1", "text", 1, required=False),
        place("signature-1", "signature", 1),
    ]
    first, second = await losers.come("w1", "w2", fields=fields)
    assert await losers.keep(first, role="Director")
    await desk.change(losers.whole, {"fields": [fields[1] | {"kind": "date"}, fields[2]]})
    now = write_of(await desk.open(losers.visitor, "w2"))
    async with desk.house.transactions.work() as work:
        found = await desk.open(losers.visitor, "w2")
        keys = frozenset(each.key for each in found.changes)
        await confirm_changes(work, losers.visitor, now, keys)
    assert await losers.keep(second, role="Head", title_1="CEO")
    older, newer = await signers_drafts(desk)
    assert (newer.content, newer.unfit) == ({}, (Entry("Role", "Head"), Entry("Title-1", "CEO")))
    await losers.use(now, older.id)
    older, _ = await signers_drafts(desk)
    assert (older.content, older.unfit) == ({}, (Entry("Role", "Director"),))
    assert await losers.values() == {}


async def test_what_a_release_before_kept_is_used_and_let_go(desk: Desk, losers: Losers) -> None:
    (write,) = await losers.come("w1")
    async with desk.house.transactions.work() as work:
        rows = await desk.house.all(SigningSessionRow)
        row = await work.db.get_one(SigningSessionRow, rows[0].id)
        row.left_behind = {"fence": 1, "at": "", "values": {"title-1": "CEO"}}  # type: ignore[assignment]  # as it was
    (draft,) = await signers_drafts(desk)
    assert draft.content == {"title-1": "CEO"}
    await losers.use(write, draft.id)
    assert (await losers.values(), await signers_drafts(desk)) == ({"title-1": "CEO"}, ())
