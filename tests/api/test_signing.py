"""A signer's windows over HTTP: every route, what is refused, and what is never lost.

EX-8 to EX-14, EX-19 to EX-23, SX-3, SX-6, SX-15, PS-42, C16, N7, N8.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import Response

from commands.agreement import Whole, cancel_agreement
from commands.signing import window_policy
from commands.signing_check import check_window
from domain.paper import Paper
from store.audit import AuditRow
from store.columns import new_id
from store.public_session import SubmissionRow, TaskRow
from store.signing_gate import signings_of
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import DRAWN, OTHER_PAPER, PAPER, Desk, place
from tests.rooms.house import House, bare_house
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at, rows, words

HIDDEN = re.compile(r'<input type="hidden" name="(window|fence|version|sha256)" value="([^"]*)"')
SCRIPT = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
DRAWING = json.dumps(DRAWN)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with bare_house(database_url) as house:
        yield house


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


@pytest.fixture
def app(house: House) -> FastAPI:
    return app_of(house)


@dataclass(slots=True)
class Window:
    """One window of a signer's browser."""

    browser: PartyBrowser
    task: str
    place: dict[str, str] = field(default_factory=dict)
    page: Response | None = None

    async def land(self) -> Response:
        """The page before a window is opened; remembers the window that it would open."""
        self.page = await self.browser.get(self.task)
        self.place = dict(HIDDEN.findall(self.page.text))
        return self.page

    async def open(self, **more: str) -> "Window":
        """Opens, and reads the viewer."""
        if not self.place:
            await self.land()
        answer = await self.browser.post(f"{self.task}/open", window=self.place["window"], **more)
        assert answer.status_code == 303, words(answer)
        return await self.reload()

    async def reload(self) -> "Window":
        """The page of this window once more."""
        self.page = await self.browser.get(f"{self.task}?window={self.place['window']}")
        assert self.page.status_code == 200
        self.place |= dict(HIDDEN.findall(self.page.text))
        return self

    async def post(self, what: str = "", *, script: Any = False, **fields: Any) -> Response:
        """Posts from this window."""
        named = {**self.place, **fields}
        path = f"{self.task}/{what}" if what else self.task
        headers = SCRIPT if script else self.browser.sent
        return await self.browser.client.post(path, data=named, headers=headers)

    async def client_post(self, what: str, pairs: list[tuple[str, str]]) -> Response:
        """As `post`, with a name that may come twice."""
        named: dict[str, Any] = dict(self.place)
        for name, value in pairs:
            named.setdefault(name, []).append(value)
        path = f"{self.task}/{what}"
        return await self.browser.client.post(path, data=named, headers=self.browser.sent)

    @property
    def words(self) -> str:
        """What the page says."""
        assert self.page is not None
        return words(self.page)


@dataclass(slots=True)
class Signer:
    """A signer who came in, and the agreement they were asked to sign."""

    desk: Desk
    whole: Whole
    browser: PartyBrowser
    task: str

    def window(self) -> Window:
        """A new window."""
        return Window(self.browser, self.task)

    async def opened(self, **more: str) -> Window:
        """A window that was opened."""
        return await self.window().open(**more)

    async def row(self) -> SigningSessionRow:
        """The signing session's row."""
        [row] = await rows(self.desk.house, SigningSessionRow)
        return row


async def signer_of(
    desk: Desk, browser: PartyBrowser, *names: str, paper: Paper = PAPER, **more: Any
) -> Signer:
    """The first signer of a new agreement, in their room."""
    whole = await desk.sent(*names, paper=paper, **more)
    room = await browser.verify(await desk.session_of(whole))
    return Signer(desk, whole, browser, f"{room}/tasks/sign")


@pytest_asyncio.fixture
async def browser(app: FastAPI, house: House) -> AsyncIterator[PartyBrowser]:
    async with browser_at(app, house) as browser:
        yield browser


@pytest_asyncio.fixture
async def signer(desk: Desk, browser: PartyBrowser) -> Signer:
    return await signer_of(desk, browser)


CONFIRMED = re.compile(r'name="confirm" value="([^"]+)" required checked')
FILLED = {"field:title-1": "CEO", "drawn:signature-1": DRAWING, "consent": "yes"}


async def sign(window: Window, **fields: str) -> Response:
    """Posts the task with everything that is needed."""
    named = {**window.place, **FILLED, **fields}
    return await window.browser.client.post(window.task, data=named, headers=window.browser.sent)


async def test_before_a_window_is_opened_it_says_what_it_is(desk: Desk, app: FastAPI) -> None:
    """EX-8: what, from whom, which version, who else signs; looking opens nothing."""
    async with browser_at(app, desk.house) as browser:
        signer = await signer_of(desk, browser, "Vera Ltd", "Otto KG")
        window = signer.window()
        page = await window.land()
        for said in ("Supply agreement", "Demo Ltd", "Version 1", "Vera Ltd", "Otto KG"):
            assert said in words(page)
        assert "Review and sign" in words(page)
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", window.place["window"])
        assert not await rows(desk.house, SigningSessionRow)


async def test_the_whole_way_without_javascript(signer: Signer) -> None:
    """PS-42: open, save, sign, by plain forms alone."""
    window = await signer.opened()
    assert "100 EUR" in window.words, "the company's own value is on the page"
    saved = await window.post("values", **{"field:title-1": "CEO"})
    assert saved.status_code == 303
    again = await window.reload()
    assert again.page is not None
    assert 'value="CEO"' in again.page.text
    answer = await sign(window, **{"drawn:signature-1": "", "typed:signature-1": "Vera V."})
    assert answer.status_code == 303
    [submission] = await rows(signer.desk.house, SubmissionRow)
    assert submission.body["fields"] == {"title-1": "CEO", "signature-1": {"typed": "Vera V."}}
    assert (await signer.desk.now(signer.whole.row.id)).signers[0].signed_version == 1


async def test_a_drawing_lands_as_it_was_drawn(signer: Signer) -> None:
    answer = await sign(await signer.opened())
    assert answer.status_code == 303
    whole = await signer.desk.now(signer.whole.row.id)
    assert whole.signers[0].values["signature-1"] == DRAWN


async def test_a_double_click_opens_one_window(signer: Signer) -> None:
    """SX-5: the window's id is the page's, so that two posts are one window."""
    window = await signer.opened()
    again = await signer.browser.post(f"{signer.task}/open", window=window.place["window"])
    assert again.status_code == 303
    assert (await signer.row()).fence == 1


async def test_a_second_window_is_asked(signer: Signer) -> None:
    """EX-9, EX-10, EX-11: Open Here or Cancel; Cancel leads to the exit URL."""
    first = await signer.opened()
    second = signer.window()
    page = await second.land()
    assert "This document is open in another window" in words(page)
    assert "Open Here" in words(page)
    exit_url = f"{signer.task.rpartition('/tasks')[0]}/exit"
    assert f'href="{exit_url}"' in page.text
    assert "You may close this window" in words(await signer.browser.get(exit_url))
    refused = await signer.browser.post(f"{signer.task}/open", window=second.place["window"])
    assert refused.status_code == 409
    assert "Open Here" in words(refused)
    await second.open(take_over="yes")
    assert second.place["fence"] == "2"
    lost = await sign(first)
    assert lost.status_code == 409
    assert "Warning: Session Timeout" in words(lost)
    assert "opened in another window" in words(lost)
    assert "Okay" in words(lost)
    assert "open the link in your mail again" in words(lost), "EX-14"


async def test_loading_a_lost_window_anew_is_no_way_back(signer: Signer) -> None:
    """EX-14: it says again why it was closed; the link in the mail leads back."""
    first = await signer.opened()
    second = await signer.opened(take_over="yes")
    for window, reason in ((first, "opened in another window"), (second, "Nothing happened here")):
        page = await signer.browser.get(f"{signer.task}?window={window.place['window']}")
        assert page.status_code == 409
        assert "Warning: Session Timeout" in words(page)
        assert reason in words(page)
        assert "Open Here" not in words(page).replace("“Open Here”", "")
        assert "open the link in your mail again" in words(page)
        signer.desk.house.clock.turn(minutes=6, seconds=1)
    assert "Continue" in words(await signer.window().land())


async def test_the_exit_url_is_the_workspaces(signer: Signer) -> None:
    """EX-11, EX-13: of whoever cancels, and of whoever lost the window."""
    from commands.setting import ChangeSettings, change_settings
    from tests.rooms.house import ANNA

    house = signer.desk.house
    async with house.transactions.work() as work:
        values = {"exit.url": "https://demo.example/bye"}
        await change_settings(work, ChangeSettings(house.workspace_id, values, ANNA))
    first = await signer.opened()
    page = await signer.window().land()
    assert 'href="https://demo.example/bye">Cancel' in page.text
    await signer.opened(take_over="yes")
    assert 'href="https://demo.example/bye">Okay' in (await sign(first)).text


async def test_closing_and_coming_back_asks_nothing(signer: Signer) -> None:
    """SX-6, C16: a window that said good-bye, or was not heard of for 20 s, is no conflict."""
    first = await signer.opened()
    assert (await first.post("leave")).status_code == 204
    second = await signer.opened()
    assert second.place["fence"] == "2"
    signer.desk.house.clock.turn(seconds=21)
    third = await signer.window().land()
    assert "Continue" in words(third)
    assert "another window" not in words(third)


async def test_a_reload_is_the_same_window(signer: Signer) -> None:
    """SX-6: also after its own good-bye."""
    window = await signer.opened()
    await window.post("leave")
    assert "data-signing-form" in (await window.reload()).page.text  # type: ignore[union-attr]
    said = (await window.post("beat", script=True, active="yes")).json()
    assert (said["left_behind"], said["version"]) == (0, 1)
    assert f'data-saved="{said["saved"]}"' in window.page.text  # type: ignore[union-attr]
    assert (await signer.row()).fence == 1


async def test_silence_ends_the_window_and_its_values_are_kept(signer: Signer) -> None:
    """C18, SX-15, N8: whoever took too long finds what was typed."""
    window = await signer.opened()
    signer.desk.house.clock.turn(minutes=6, seconds=1)
    lost = await window.post("values", **{"field:title-1": "CEO"})
    assert lost.status_code == 409
    assert "Nothing happened here for a while" in words(lost)
    assert "was kept" in words(lost)
    back = await signer.opened()
    assert "1 field was not taken over from your other window" in back.words
    (left,) = (await signer.row()).drafts
    await back.post("left-behind", use=left.id)
    assert 'value="CEO"' in (await back.reload()).page.text  # type: ignore[union-attr]


async def test_a_beat_alone_keeps_nobody_from_going_idle(signer: Signer) -> None:
    """SX-3: only what the person does counts, in any tab."""
    window = await signer.opened()
    for _ in range(3):
        signer.desk.house.clock.turn(minutes=2)
        assert (await window.post("beat", script=True, active="yes")).status_code == 200
    for _ in range(2):
        signer.desk.house.clock.turn(minutes=2)
        assert (await window.post("beat", script=True)).status_code == 200
    signer.desk.house.clock.turn(minutes=2, seconds=1)
    lost = await window.post("beat", script=True)
    assert (lost.status_code, lost.json()["type"]) == (409, "/problems/window-lost")
    assert lost.json()["reason"] == "inactive"


async def test_work_in_another_tab_keeps_the_window(signer: Signer) -> None:
    """SX-3: idleness is a property of the session; page, stream and workflow say the same."""
    window = await signer.opened()
    house = signer.desk.house
    for _ in range(4):
        house.clock.turn(minutes=2)
        assert (await signer.window().land()).status_code == 200
        assert (await window.post("beat", script=True)).status_code == 200
        row = await signer.row()
        assert row.binding_id is not None
        async with house.transactions.work() as work:
            told = await signings_of(work.db, [row.binding_id], work.at, window_policy(work))
            due_at = (await check_window(work, row.id)).due_at
        assert [(each.reason, each.idles_out_at) for each in told[row.binding_id]] == [("", None)]
        assert due_at == house.clock() + timedelta(minutes=6)
    assert (await sign(window)).status_code == 303


async def test_saying_that_one_is_here_counts_at_once(signer: Signer) -> None:
    """SX-3, C18: the answer to the room's own warning, however soon after something else."""
    window = await signer.opened()
    house = signer.desk.house
    house.clock.turn(minutes=5)
    await signer.window().land()
    house.clock.turn(seconds=10)
    room = window.task.removesuffix("/tasks/sign")
    assert (await signer.browser.post(f"{room}/stay")).status_code in {204, 303}
    assert (await signer.row()).active_at == house.clock()


async def test_nothing_brings_a_window_back_that_was_silent_for_too_long(signer: Signer) -> None:
    """SX-3, SX-15: what comes after the end is activity of the browser, not of that window."""
    window = await signer.opened()
    signer.desk.house.clock.turn(minutes=6)
    for _ in range(2):
        assert (await signer.window().land()).status_code == 200
        lost = await window.post("values", script=True, **FILLED)
        assert (lost.status_code, lost.json()["reason"]) == (409, "inactive")
        signer.desk.house.clock.turn(minutes=1)


async def test_what_the_loser_had_not_saved_is_offered_and_never_merged(signer: Signer) -> None:
    """C7, N8."""
    first = await signer.opened()
    await first.post("values", script=True, **{"field:title-1": "CE"})
    second = await signer.opened(take_over="yes")
    lost = await first.post("values", script=True, **{"field:title-1": "CEO of all"})
    assert (lost.status_code, lost.json()["kept"]) == (409, True)
    assert (await signer.row()).values == {"title-1": "CE"}
    beat = await second.post("beat", script=True)
    (left,) = (await signer.row()).drafts
    assert (beat.json()["left_behind"], beat.json()["left_behind_newest"]) == (1, left.id)
    shown = await second.reload()
    assert "1 field was not taken over" in shown.words
    assert 'value="CE"' in shown.page.text  # type: ignore[union-attr]
    assert "CEO of all" in shown.words
    await second.post("left-behind", let_go=left.id, **{"field:title-1": "CE"})
    assert (await signer.row()).drafts == ()
    assert (await signer.row()).values == {"title-1": "CE"}


@pytest.mark.parametrize("what", ["", "values"])
async def test_nothing_lands_on_a_version_that_is_not_the_present_one(
    signer: Signer, what: str
) -> None:
    """EX-19, EX-20, N7: refused whatever the page showed; the difference is shown, with pages."""
    window = await signer.opened()
    version = signer.whole.version
    fields = [place("price", "text", None, value="120 EUR"), *version.fields[1:]]
    fields = [{k: v for k, v in each.items() if (k, v) != ("value", "")} for each in fields]
    await signer.desk.change(signer.whole, {"fields": fields}, OTHER_PAPER)
    refused = await window.post(what, **FILLED)
    assert refused.status_code == 409
    said = words(refused)
    assert "The document was changed" in said
    assert "You last saw version 1; this is version 2" in said
    for each in ("100 EUR", "120 EUR", "Page 2", "There was no such page."):
        assert each in said
    assert "/pages/2?version=2" in refused.text
    assert "data-signing-form" not in refused.text, "nothing can be entered until it was seen"
    assert not await rows(signer.desk.house, SubmissionRow)
    window.place |= dict(HIDDEN.findall(refused.text))
    left = await window.client_post("changes", [("confirm", "page-2")])
    assert left.status_code == 409
    assert "not confirmed yet" in words(left)
    assert CONFIRMED.findall(left.text) == ["page-2"], "what was ticked stays so"
    gone = await window.client_post("changes", [("confirm", "page-2"), ("confirm", "field-price")])
    assert gone.status_code == 303
    again = await window.reload()
    assert 'value="CEO"' in again.page.text, "what still fits stays"  # type: ignore[union-attr]
    assert (await sign(again)).status_code == 303
    whole = await signer.desk.now(signer.whole.row.id)
    assert whole.signers[0].signed_version == 2


async def test_what_is_missing_is_named_at_its_field_and_at_the_top(signer: Signer) -> None:
    window = await signer.opened()
    page = await window.post("", **{"field:title-1": "CEO"})
    assert page.status_code == 422
    assert 'id="error-summary"' in page.text
    assert 'href="#field-signature-1"' in page.text
    assert 'id="field-signature-1-error"' in page.text
    assert 'href="#field-consent"' in page.text
    assert 'value="CEO"' in page.text
    assert 'value="CEO"' in (await window.reload()).page.text  # type: ignore[union-attr]


HOSTILE = [
    {"window": ""},
    {"window": "x" * 65},
    {"window": "a b"},
    {"fence": "-1"},
    {"fence": "one"},
    {"fence": "9" * 400},
    {"version": ""},
    {"version": "٣"},
    {"sha256": "zz"},
]


@pytest.mark.parametrize("what", ["", "values", "beat", "leave", "changes", "code", "left-behind"])
async def test_what_no_page_of_ours_sends_is_refused(signer: Signer, what: str) -> None:
    window = await signer.opened()
    for bad in HOSTILE:
        if what in {"beat", "leave"} and not {"window", "fence"} & set(bad):
            continue
        assert (await window.post(what, **bad)).status_code == 400, bad
    assert (await signer.row()).values == {}


MARKS = [
    "{",
    "[]",
    "7",
    "[" * 100_000,
    '{"strokes": "x"}',
    '{"strokes": [[]]}',
    '{"strokes": [[[0.1]]]}',
    '{"strokes": [[[0.1, "1"]]]}',
    '{"strokes": [[[9, 0.1]]]}',
    '{"strokes": [[[NaN, 0.1]]]}',
    '{"strokes": [[[true, 0.1]]]}',
    '{"strokes": [[[0.1, 0.1]]], "ratio": 99}',
    '{"strokes": [[[0.1, 0.1]]], "ratio": {}}',
    json.dumps({"strokes": [[[0.1, 0.1]]] * 301}),
    json.dumps({"strokes": [[[0.1, 0.1]] * 5001]}),
]


@pytest.mark.parametrize("mark", MARKS, ids=range(len(MARKS)))
async def test_a_malformed_drawing_is_refused_at_its_field(signer: Signer, mark: str) -> None:
    window = await signer.opened()
    page = await sign(window, **{"drawn:signature-1": mark})
    assert page.status_code == 422
    assert "could not be read" in words(page)
    saved = await window.post("values", script=True, **{"drawn:signature-1": mark})
    assert "signature-1" in saved.json()["errors"]
    assert "signature-1" not in (await signer.row()).values


async def test_only_what_belongs_to_a_drawing_is_kept(signer: Signer) -> None:
    window = await signer.opened()
    mark = json.dumps(DRAWN | {"evil": "x" * 1000})
    await window.post("values", **{"drawn:signature-1": mark, "field:other": "x"})
    assert (await signer.row()).values == {"signature-1": DRAWN}


async def test_the_largest_drawing_passes_and_no_larger_form(signer: Signer) -> None:
    """A drawing of 5,000 points is more than another task's form may be; 512 KiB are the end."""
    window = await signer.opened()
    whole = {"strokes": [[[0.1234, 0.3456]] * 5000], "ratio": 0.4}
    saved = await window.post("values", script=True, **{"drawn:signature-1": json.dumps(whole)})
    assert saved.json() == {"errors": {}}
    huge = await window.post("values", **{"field:title-1": "x" * 600_000})
    assert huge.status_code == 413
    assert (await window.post("beat", active="x" * 70_000)).status_code == 413


async def test_another_site_and_another_session_get_nowhere(
    signer: Signer, app: FastAPI, desk: Desk
) -> None:
    window = await signer.opened()
    for what in ("open", "values", "beat", "leave", "changes", "code", "verify", "left-behind"):
        headers = {"sec-fetch-site": "cross-site"}
        path = f"{signer.task}/{what}"
        answer = await signer.browser.client.post(path, data=window.place, headers=headers)
        assert answer.status_code == 403, what
        async with browser_at(app, desk.house) as stranger:
            assert (await stranger.post(path, **window.place)).status_code == 404, what
        foreign = signer.task.replace("/tasks/sign", "/tasks/nothing")
        answer = await signer.browser.post(f"{foreign}/{what}", **window.place)
        assert answer.status_code == 404, what
    assert (await signer.row()).fence == 1


async def test_a_cancelled_document_says_so_in_the_room_and_at_its_link(signer: Signer) -> None:
    """EX-23."""
    window = await signer.opened()
    house = signer.desk.house
    async with house.transactions.work() as work:
        await cancel_agreement(work, signer.desk.target(signer.whole.row.id), "Not needed")
    link = await house.link(await signer.desk.session_of(signer.whole))
    for page in (
        await sign(window),
        await signer.browser.get(signer.task),
        await signer.browser.get(f"/s/{link}"),
    ):
        assert page.status_code == 410
        assert "This document has been cancelled" in words(page)
        assert "Not needed" not in words(page)


async def test_a_second_submit_lands_in_the_room(signer: Signer) -> None:
    """SX-5."""
    window = await signer.opened()
    assert (await sign(window)).status_code == 303
    assert (await sign(window)).status_code == 303
    assert len(await rows(signer.desk.house, SubmissionRow)) == 1


async def test_a_reader_confirms_instead_of_signing(desk: Desk, browser: PartyBrowser) -> None:
    """PS-42, EX-8: data entry without a signature follows the same rules."""
    await desk.certify()
    party = await desk.party()
    draft = await desk.draft(
        party.id,
        signers=[{"party": str(party.id), "signs": False}],
        fields=[place("title-1", "text", 1)],
    )
    whole = await desk.send(draft)
    room = await browser.verify(await desk.session_of(whole))
    signer = Signer(desk, whole, browser, f"{room}/tasks/sign")
    assert "Review and confirm" in words(await signer.window().land())
    window = await signer.opened()
    assert "Confirm" in window.words
    done = await window.post("", **{"field:title-1": "CEO", "consent": "yes"})
    assert done.status_code == 303


async def test_a_get_changes_nothing(signer: Signer) -> None:
    window = await signer.opened()
    before = [each.model_dump() for each in await rows(signer.desk.house, SigningSessionRow)]
    events = len(await rows(signer.desk.house, AuditRow))
    for path in (signer.task, f"{signer.task}?window={window.place['window']}"):
        await signer.browser.get(path)
    await signer.browser.get(f"{signer.task}?window=<script>")
    after = [each.model_dump() for each in await rows(signer.desk.house, SigningSessionRow)]
    assert (before, events) == (after, len(await rows(signer.desk.house, AuditRow)))


async def test_a_second_task_for_the_same_signature_signs_nothing(signer: Signer) -> None:
    """EX-1: what was signed first stands, with its evidence and its time; the page says so."""
    house = signer.desk.house
    [task] = await rows(house, TaskRow)
    again = {name: getattr(task, name) for name in TaskRow.model_fields if name != "id"}
    async with house.transactions.work() as work:
        second = {"id": new_id(), "key": "again", "position": task.position + 1}
        work.db.add(TaskRow(**again | second))
    assert (await sign(await signer.opened())).status_code == 303
    before = (await signer.desk.now(signer.whole.row.id)).signers[0]
    house.clock.turn(minutes=1)
    repeat = Window(signer.browser, signer.task.replace("/sign", "/again"))
    page = await repeat.land()
    assert page.status_code == 409
    assert "You have signed this document already" in words(page)
    opened = await signer.browser.post(f"{repeat.task}/open", window="w-again")
    assert (opened.status_code, "signed this document already" in words(opened)) == (409, True)
    after = (await signer.desk.now(signer.whole.row.id)).signers[0]
    assert (after.values, after.evidence) == (before.values, before.evidence)
    assert after.signed_at == before.signed_at


async def test_the_sealed_document_is_for_the_browser_that_signed_and_is_noted_once(
    house: House, browser: PartyBrowser, signer: Signer
) -> None:
    # PS-25: who read what stands in the log
    signed = f"{signer.task.removesuffix('/tasks/sign')}/signed"
    path = f"{signed}/{signer.whole.row.id}.pdf"
    window = await signer.opened()
    assert (await sign(window)).status_code == 303
    assert (await browser.get(path)).status_code == 404, "it is not sealed yet"
    await signer.desk.put_seal(signer.whole.row.id)
    for _ in range(2):
        assert (await browser.get(path)).content == PAPER.pdf
    assert (await browser.get(f"{signed}/{new_id()}.pdf")).status_code == 404
    noted = [each for each in await rows(house, AuditRow) if each.event == "agreement.read"]
    assert [each.details["agreement"] for each in noted] == [str(signer.whole.row.id)]
    async with browser_at(app_of(house), house) as stranger:
        assert (await stranger.get(path)).status_code != 200
