"""The members' pages of agreements: listed, made, edited by one at a time, sent, handed over."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from httpx2 import Response

from commands.signing_session import confirm_changes
from commands.workspace import CreateWorkspace, create_workspace, find_workspace
from domain.member import Role
from store.agreement import AgreementRow
from store.editing_session import EditingSessionRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.agreements import DRAWN, Desk, place, write_of
from tests.rooms.house import DOCUMENT, House
from tests.rooms.member_browser import MemberBrowser, make_member, set_here
from tests.rooms.papers import a_pdf
from tests.rooms.party_browser import words

CARL = "carl@office.example"
AGREEMENTS = "/agreements"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    """Anna administers, Ben audits, Carl publishes."""
    async with open_console(database_url) as console:
        await make_member(console.house, CARL, "Carl Lund", Role.PUBLISHER)
        yield console


@pytest.fixture
def desk(console: Console) -> Desk:
    return Desk(console.house)


def inputs(page: Response) -> dict[str, str]:
    """What a form of a page would send: inputs with their values, ticked boxes, chosen options."""
    form = re.search(r'<form class="form" id="editor".*?</form>', page.text, re.DOTALL)
    assert form, words(page)
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") != "checkbox" or re.search(r"\bchecked\b", tag):
            found[given["name"]] = unescape(given.get("value", "on"))
    for name, inside in re.findall(
        r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form[0], re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        found[name] = chosen[1] if chosen else re.findall(r'value="([^"]*)"', inside)[0]
    for name, inside in re.findall(
        r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form[0], re.DOTALL
    ):
        found[name] = unescape(inside)
    return {name: value for name, value in found.items() if not name.endswith(".removed")}


def window_of(page: Response) -> str:
    found = re.search(r'name="window" value="([^"]+)"', page.text)
    assert found, words(page)
    return found[1]


async def opened(browser: MemberBrowser, agreement_id: UUID, **more: Any) -> Response:
    """The editor, in a new window."""
    path = f"{AGREEMENTS}/{agreement_id}"
    window = window_of(await browser.get(path))
    answer = await browser.post(f"{path}/edit", window=window, **more)
    return await browser.follow(answer) if answer.status_code == 303 else answer


async def saved(browser: MemberBrowser, page: Response, **typed: str) -> Response:
    """What the editor answers to Save, or to the button that is named `action`."""
    sent = inputs(page) | typed
    agreement = re.search(r'data-agreement="([^"]+)"', page.text)
    assert agreement
    answer = await browser.post(f"{AGREEMENTS}/{agreement[1]}/edit/save", **sent)
    return await browser.follow(answer) if answer.status_code == 303 else answer


async def agreement(console: Console) -> AgreementRow:
    (row,) = await console.house.all(AgreementRow)
    return row


async def test_the_list_names_states_and_filters(console: Console, desk: Desk) -> None:
    # EX-23
    async with console.signed_in() as anna:
        empty = await anna.get(AGREEMENTS)
        assert "There is no agreement yet." in words(empty)
        sent = await desk.sent(title="One that was sent")
        await desk.draft(title="One that is a draft")
        page = words(await anna.get(AGREEMENTS))
        assert page.index("One that is a draft") < page.index("One that was sent")
        only = words(await anna.get(f"{AGREEMENTS}?state=sent"))
        assert "One that was sent" in only
        assert "One that is a draft" not in only
        assert "There is none in this state." in words(await anna.get(f"{AGREEMENTS}?state=done"))
        shown = words(await anna.get(f"{AGREEMENTS}/{sent.row.id}"))
        assert "Asked" in shown
        assert "0 of 1 done" in shown
        assert f'href="{anna.base}{AGREEMENTS}"' in (await anna.get()).text


async def test_who_audits_reads_and_changes_nothing(console: Console, desk: Desk) -> None:
    # EE-16
    whole = await desk.sent()
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in(email=BEN) as ben:
        page = await ben.get(path)
        assert page.status_code == 200
        for nowhere in ("Edit", "Change what was sent", "Cancel the agreement", "Open as Signer"):
            assert nowhere not in words(page)
        assert "New agreement" not in words(await ben.get(AGREEMENTS))
        for get in ("/new", f"/{whole.row.id}/send", f"/{whole.row.id}/signers/1/open"):
            assert (await ben.get(AGREEMENTS + get)).status_code == 403, get
        posts = ("edit", "edit/save", "edit/beat", "edit/left-behind", "edit/let-go", "send")
        for post in (*posts, "cancel", "signers/1/open"):
            answer = await ben.post(f"{path}/{post}", window="12345678")
            assert answer.status_code == 403, post
        assert (await ben.get("/settings/signing-certificate")).status_code == 403


async def new(browser: MemberBrowser, **members: Any) -> Response:
    """Sends the form of a new agreement."""
    window = members.pop("window", None) or window_of(await browser.get(f"{AGREEMENTS}/new"))
    file = members.pop("file", ("supply.pdf", a_pdf(2), "application/pdf"))
    data = {"window": window, "title": "", "ordered": "on"} | members
    address = f"{browser.base}{AGREEMENTS}/new"
    client, sent = browser.party.client, browser.party.sent
    return await client.post(address, data=data, files={"pdf": file}, headers=sent)


async def test_a_pdf_is_brought_and_its_editor_opens(console: Console, desk: Desk) -> None:
    vera, walt = await desk.party("Vera Ltd"), await desk.party("Walt Ltd")
    signers = [f"Walt Ltd <{walt.email}>", vera.email.upper()]
    async with console.signed_in(email=CARL) as carl:
        window = window_of(await carl.get(f"{AGREEMENTS}/new"))
        first = await new(carl, window=window, signer=signers)
        assert first.status_code == 303, words(first)
        again = await new(carl, window=window, signer=signers)
        assert again.headers["location"] == first.headers["location"]
        page = await carl.follow(first)
    row = await agreement(console)
    whole = await desk.now(row.id)
    assert (row.title, row.ordered, row.state) == ("supply", True, "draft")
    assert [each.name for each in whole.signers] == ["Walt Ltd", "Vera Ltd"]
    assert whole.version.consent == "I agree to be bound by this agreement."
    assert "Page 2 of 2" in words(page)


async def replaced(browser: MemberBrowser, page: Response, pdf: bytes) -> Response:
    """What the form for another document answers, from the window of an editor's page."""
    sent = inputs(page)
    data = {name: sent[name] for name in ("window", "fence", "version", "sha256")}
    agreement = re.search(r'data-agreement="([^"]+)"', page.text)
    assert agreement
    address = f"{browser.base}{AGREEMENTS}/{agreement[1]}/edit/document"
    form = await browser.party.client.get(address, params={"window": data["window"]})
    assert "Replace the document" in words(form)
    files = {"pdf": ("other.pdf", pdf, "application/pdf")} if pdf else {"pdf": ("", b"", "x/y")}
    client, head = browser.party.client, browser.party.sent
    answer = await client.post(address, data=data, files=files, headers=head)
    return await browser.follow(answer) if answer.status_code == 303 else answer


async def test_the_document_is_replaced_and_the_fields_stay(console: Console, desk: Desk) -> None:
    # EX-19, EX-16: from the window that has the place, and from no other
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        assert "Choose a PDF" in words(await replaced(carl, page, b""))
        assert "the file is damaged" in words(await replaced(carl, page, b"%PDF-1.7 junk"))
        after = await replaced(carl, page, a_pdf(3))
        assert "Page 3 of 3" in words(after)
        assert "another version" in words(await replaced(carl, page, a_pdf(2)))
        now = await desk.now(whole.row.id)
        assert (now.row.version, now.version.fields) == (2, whole.version.fields)
        moved = await saved(carl, after, **{"field.0.page": "3"})
        assert "fewer pages" in words(await replaced(carl, moved, a_pdf(1)))
        form = f"{AGREEMENTS}/{whole.row.id}/edit/document?window={inputs(moved)['window']}"
        await opened(anna, whole.row.id, take_over="yes")
        assert "Warning: Session Timeout" in words(await carl.get(form))


async def test_a_saved_document_brings_its_fields(console: Console, desk: Desk) -> None:
    await console.house.save("document", "terms", DOCUMENT)
    vera = await desk.party()
    async with console.signed_in(email=CARL) as carl:
        none = ("", b"", "application/octet-stream")
        page = await carl.follow(await new(carl, file=none, document="terms", signer=[vera.email]))
    assert "Signature" in words(page)
    assert (await agreement(console)).title == DOCUMENT["title"]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"file": ("", b"", "x/y")}, "Choose a PDF, or one of the saved documents."),
        ({"file": ("a.pdf", a_pdf(201), "x/y")}, "too many pages"),
        ({"file": ("a.pdf", b"%PDF-1.7 junk", "x/y")}, "the file is damaged"),
        ({"file": ("a.pdf", b"%PDF-" + b"0" * 10 * 1024**2, "x/y")}, "at most 10 MB"),
        ({"signer": ["nobody@nowhere.example"]}, "There is no party with this address."),
    ],
    ids=["nothing", "201 pages", "junk", "too large", "nobody"],
)
async def test_what_cannot_be_made_is_said_at_its_place(
    console: Console, members: Any, said: str
) -> None:
    async with console.signed_in(email=CARL) as carl:
        page = await new(carl, title="Kept", **members)
    assert page.status_code == 422
    assert said in words(page)
    assert 'value="Kept"' in page.text
    assert not await console.house.all(AgreementRow)


async def test_the_form_without_a_script_adds_copies_and_removes(
    console: Console, desk: Desk
) -> None:
    vera = await desk.party()
    whole = await desk.draft(vera.id)
    async with console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        assert inputs(page)["field.0.x"] == "10"
        page = await saved(carl, page, action="add")
        page = await saved(carl, page, action="duplicate:2")
        page = await saved(carl, page, action="remove:0")
        assert (await desk.now(whole.row.id)).row.version == 1
        kinds = [value for name, value in inputs(page).items() if name.endswith(".kind")]
        assert kinds == ["text", "signature", "signature", "signature"]
        typed = {"field.2.label": "Witness", "field.3.label": "Stamp", "field.3.width": "12,5"}
        page = await saved(carl, page, **typed, title="Other", action="save")
        assert "Saved as version 2" in words(page)
        nothing = await saved(carl, page, action="save")
        assert "Nothing had changed" in words(nothing)
    after = await desk.now(whole.row.id)
    assert (after.row.title, after.row.version) == ("Other", 2)
    kept = [(each["key"], each["label"]) for each in after.version.fields]
    assert kept == [
        ("title-1", "Title-1"),
        ("signature-1", "Signature-1"),
        ("signature-2", "Witness"),
        ("signature-3", "Stamp"),
    ]
    assert after.version.fields[3]["width"] == 0.125


async def test_who_signs_cannot_be_done_without_having_signed(console: Console, desk: Desk) -> None:
    # PS-43
    party = await desk.party()
    optional = [place("signature-1", "signature", 1, required=False)]
    whole = await desk.draft(party.id, fields=optional)
    await desk.certify()
    async with console.signed_in(email=CARL) as carl:
        pin = {"version": "1", "sha256": whole.row.digest}
        refused = await carl.post(f"{AGREEMENTS}/{whole.row.id}/send", **pin)
        assert refused.status_code == 422
        assert "Signer 1 needs a signature field that must be filled in." in words(refused)
        sent = await desk.sent("Walt Ltd")
        page = await opened(carl, sent.row.id)
        typed = {name: value for name, value in inputs(page).items() if name != "field.2.required"}
        answer = await carl.post(f"{AGREEMENTS}/{sent.row.id}/edit/save", **typed)
        assert answer.status_code == 422
        assert "Each signer needs a signature field that must be filled in." in words(answer)
    assert (await desk.now(whole.row.id)).row.state == "draft"


async def test_a_window_of_another_member_is_asked_for_as_any_other(
    console: Console, desk: Desk
) -> None:
    # EX-15
    whole = await desk.draft((await desk.party()).id)
    path = f"{AGREEMENTS}/{whole.row.id}/edit"
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        form = inputs(await opened(anna, whole.row.id))
        asked = await carl.post(path, window=form["window"])
        assert (asked.status_code, "Edit Anyway" in words(asked)) == (409, True)
        refused = await carl.post(f"{path}/save", **form | {"title": "Carl's"})
        assert refused.status_code == 409
        assert (await desk.now(whole.row.id)).row.title == "Supply agreement"
        assert (await anna.post(f"{path}/save", **form | {"title": "Anna's"})).status_code == 303
    assert (await desk.now(whole.row.id)).row.title == "Anna's"


async def test_faults_stand_at_their_places_and_nothing_typed_is_lost(
    console: Console, desk: Desk
) -> None:
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        typed = {"title": " ", "field.0.x": "95", "field.1.label": "", "days": "many"}
        page = await saved(carl, page, **typed, message="Kept")
        assert page.status_code == 422
        for said in (
            "Enter a title",
            "It must lie on the page",
            "Say what this field is",
            "Enter a number of days",
        ):
            assert said in words(page)
        assert "Kept" in inputs(page)["message"]
    assert (await desk.now(whole.row.id)).row.version == 1


async def test_signers_are_added_ordered_and_removed_with_their_fields(
    console: Console, desk: Desk
) -> None:
    vera, walt = await desk.party("Vera Ltd"), await desk.party("Walt Ltd")
    whole = await desk.draft(vera.id)
    async with console.signed_in(email=CARL) as carl:
        page = await saved(carl, await opened(carl, whole.row.id), new_signer=walt.email)
        page = await saved(carl, page, **{"signer.0.order": "2", "signer.1.order": "1"})
        after = await desk.now(whole.row.id)
        assert [each.name for each in after.signers] == ["Walt Ltd", "Vera Ltd"]
        assert after.version.fields[2]["signer"] == 2
        unknown = await saved(carl, page, new_signer="nobody@nowhere.example")
        assert "There is no party with this address." in words(unknown)
        gone = await saved(carl, page, **{"signer.1.removed": "on"})
        assert "Choose who fills it in." in words(gone)


async def test_a_form_that_names_another_workspaces_party_is_not_told_its_name(
    console: Console, desk: Desk
) -> None:
    # PS-41
    async with console.house.transactions.work() as work:
        await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
    async with console.house.transactions.work() as work:
        other = await find_workspace(work, "other")
    there = House(console.house.engine, console.house.transactions, console.house.clock, other.id)
    stranger, walt = await Desk(there).party("Strange Ltd"), await desk.party("Walt Ltd")
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        for party, is_told in ((walt, True), (stranger, False)):
            typed = {"signer.0.party": str(party.id)}
            shown = await saved(carl, page, **typed, action="add")
            assert shown.status_code == 200
            assert (party.name in words(shown)) == is_told


async def test_cancel_and_okay_lead_to_the_companys_exit_page(console: Console, desk: Desk) -> None:
    # EX-13, EX-17, EX-18
    await set_here(console.house, exit_url="https://demo.example/bye")
    whole = await desk.draft()
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        mine = await opened(anna, whole.row.id)
        assert re.search(r'href="https://demo.example/bye" autofocus>Okay', mine.text)
        asked = await opened(carl, whole.row.id)
        assert 'href="https://demo.example/bye">Cancel' in asked.text
        await opened(carl, whole.row.id, take_over="yes")
        lost = await saved(anna, mine, title="Mine")
        assert 'href="https://demo.example/bye">Okay' in lost.text


async def test_the_dialog_names_who_and_takes_over(console: Console, desk: Desk) -> None:
    # EX-15, EX-16, EX-17, EX-18, C1: one draft, one window, and the other one is asked
    whole = await desk.draft()
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        mine = await opened(anna, whole.row.id)
        shown = words(await carl.get(f"{AGREEMENTS}/{whole.row.id}"))
        assert "Anna Berg is in its editor" in shown
        asked = await opened(carl, whole.row.id)
        assert asked.status_code == 409
        assert "Anna Berg is in this agreement" in words(asked)
        assert f'href="{carl.base}{AGREEMENTS}">Cancel' in asked.text
        theirs = await opened(carl, whole.row.id, take_over="yes")
        assert "Edit the draft" in words(theirs)
        lost = await saved(anna, mine, title="Mine", message="Unsaved")
        assert lost.status_code == 409
        assert "Warning: Session Timeout" in words(lost)
        assert "Carl Lund has taken this agreement over" in words(lost)
        assert "What you had not saved is kept apart" in words(lost)
        assert f'href="{anna.base}{AGREEMENTS}">Okay' in lost.text
    assert (await desk.now(whole.row.id)).row.version == 1


async def test_what_was_not_taken_over_is_shown_and_used_or_let_go(
    console: Console, desk: Desk
) -> None:
    # N8, EX-17: never merged silently
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        mine = await opened(anna, whole.row.id)
        theirs = await opened(carl, whole.row.id, take_over="yes")
        await saved(anna, mine, **{"title": "Mine", "field.0.value": "120 EUR"})
        theirs = await saved(carl, theirs, message="Theirs")
        assert "Changes of Anna Berg that were not taken over" in words(theirs)
        assert "120 EUR" in words(theirs)
        assert inputs(theirs)["title"] == "Supply agreement"
        window = inputs(theirs)["window"]
        (left,) = (await console.house.all(EditingSessionRow))[0].drafts
        path = f"{AGREEMENTS}/{whole.row.id}/edit?window={window}&use={left.id}"
        used = await carl.get(path)
        assert (inputs(used)["title"], inputs(used)["message"]) == ("Mine", "Theirs")
        assert (await desk.now(whole.row.id)).row.title == "Supply agreement"
        after = await saved(carl, used)
        assert "Changes of Anna Berg" not in words(after)
        row = (await desk.now(whole.row.id)).row
        assert (row.title, row.message) == ("Mine", "Theirs")


async def test_let_go_is_let_go(console: Console, desk: Desk) -> None:
    whole = await desk.draft()
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        mine = await opened(anna, whole.row.id)
        theirs = await opened(carl, whole.row.id, take_over="yes")
        await saved(anna, mine, title="Mine")
        sent = inputs(theirs)
        place = {name: sent[name] for name in ("window", "fence")}
        path = f"{AGREEMENTS}/{whole.row.id}/edit/let-go"
        (left,) = (await console.house.all(EditingSessionRow))[0].drafts
        lost = await anna.post(path, **{name: inputs(mine)[name] for name in place}, draft=left.id)
        assert "Warning: Session Timeout" in words(lost)
        page = await carl.follow(await carl.post(path, **place, draft=left.id))
        assert "The changes were let go" in words(page)
    (row,) = await console.house.all(EditingSessionRow)
    assert row.drafts == ()


async def test_a_double_click_and_a_reload_are_one_window(console: Console, desk: Desk) -> None:
    # SX-5, SX-6, C16
    whole = await desk.draft()
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in() as anna:
        window = window_of(await anna.get(path))
        first = await anna.post(f"{path}/edit", window=window)
        second = await anna.post(f"{path}/edit", window=window)
        assert first.headers["location"] == second.headers["location"]
        assert (await anna.follow(first)).status_code == 200
        other = await opened(anna, whole.row.id)
        assert "You have this open in another window" in words(other)
        taken = await opened(anna, whole.row.id, take_over="yes")
        lost = await anna.follow(first)
        assert "You have opened this agreement in another window" in words(lost)
        beat = {name: inputs(taken)[name] for name in ("window", "fence")}
        assert (await anna.post(f"{path}/edit/beat", **beat)).status_code == 204
        left = await anna.post(f"{path}/edit/beat", **beat, leaving="yes")
        assert left.status_code == 204
        again = await opened(anna, whole.row.id)
        assert "Edit the draft" in words(again)
        late = await anna.post(f"{path}/edit/beat", **beat)
        assert (late.status_code, late.json()["reason"]) == (409, "opened_elsewhere")


async def test_a_newer_version_is_refused_with_both_side_by_side(
    console: Console, desk: Desk
) -> None:
    # EX-1, EX-20: a program saved while this window was not heard of
    whole = await desk.draft((await desk.party()).id)
    async with console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        console.house.clock.turn(seconds=30)
        await desk.change(whole, {"title": "By a program", "message": "Hello"})
        typed = {"title": "By Carl", "field.1.kind": "date", "field.2.width": "40"}
        stale = await saved(carl, page, **typed)
        assert stale.status_code == 409
        sides = (
            "Date “Title-1”, optional Filled in by signer 1",
            "Text “Title-1”, optional Filled in by signer 1",
            "Page 1, 10 % from the left, 10 % from the top, 40 % wide, 5 % high",
            "Page 1, 10 % from the left, 10 % from the top, 30 % wide, 5 % high",
        )
        for said in ("Version 2 was saved meanwhile", "By Carl", "By a program", *sides):
            assert said in words(stale)
        assert (inputs(stale)["title"], inputs(stale)["message"]) == ("By Carl", "Hello")
        after = await saved(carl, stale)
        assert "Saved as version 3" in words(after)
    row = (await desk.now(whole.row.id)).row
    assert (row.title, row.message) == ("By Carl", "Hello")


async def test_sending_says_who_is_asked_to_confirm_only(console: Console, desk: Desk) -> None:
    # PS-42
    vera, walt = await desk.party("Vera Ltd"), await desk.party("Walt Ltd")
    signers = [{"party": str(vera.id), "signs": False}, {"party": str(walt.id)}]
    fields = [place("signature-2", "signature", 2)]
    whole = await desk.draft(vera.id, walt.id, signers=signers, fields=fields, ordered=False)
    await desk.certify()
    async with console.signed_in(email=CARL) as carl:
        said = words(await carl.get(f"{AGREEMENTS}/{whole.row.id}/send"))
    assert "Vera Ltd is mailed a Request to Confirm at once." in said
    assert "Walt Ltd is mailed a Request to Sign at once." in said


async def test_sending_says_first_what_will_happen(console: Console, desk: Desk) -> None:
    # PS-43
    vera, walt = await desk.party("Vera Ltd"), await desk.party("Walt Ltd")
    whole = await desk.draft(vera.id, walt.id)
    path = f"{AGREEMENTS}/{whole.row.id}"
    pin = {"version": str(whole.row.version), "sha256": whole.row.digest}
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        page = await carl.get(f"{path}/send")
        assert "There is no signing certificate yet" in words(page)
        assert "Ask an administrator" in words(page)
        assert f'{anna.base}/settings/signing-certificate"' in (await anna.get(f"{path}/send")).text
        refused = await carl.post(f"{path}/send", **pin)
        assert refused.status_code == 409
        assert "There is no signing certificate" in words(refused)
        await desk.certify()
        said = words(await carl.get(f"{path}/send"))
        assert "Vera Ltd is mailed a Request to Sign at once." in said
        assert "Walt Ltd is mailed when the one before has signed." in said
        stale = await carl.post(f"{path}/send", version="7", sha256=pin["sha256"])
        assert "another version" in words(stale)
        sent = await carl.follow(await carl.post(f"{path}/send", **pin))
        assert "It is on its way to its signers" in words(sent)
        again = await carl.post(f"{path}/send", **pin)
        assert "It is in another state by now." in words(again)
    assert (await agreement(console)).state == "sent"


async def test_what_is_missing_is_named_before_it_is_sent(console: Console, desk: Desk) -> None:
    await desk.certify()
    whole = await desk.draft(consent="")
    pin = {"version": "1", "sha256": whole.row.digest}
    async with console.signed_in() as anna:
        page = await anna.post(f"{AGREEMENTS}/{whole.row.id}/send", **pin)
    assert page.status_code == 422
    assert "Say what the signers agree to." in words(page)
    assert "Choose who is to sign." in words(page)


async def test_while_somebody_is_in_the_editor_sending_offers_what_can_be_done(
    console: Console, desk: Desk
) -> None:
    # EX-15: not a button that is refused
    await desk.certify()
    whole = await desk.draft((await desk.party()).id)
    path = f"{AGREEMENTS}/{whole.row.id}"
    pin = {"version": str(whole.row.version), "sha256": whole.row.digest}
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        edited = await opened(carl, whole.row.id)
        page = await anna.get(f"{path}/send")
        assert "Carl Lund is in its editor since" in words(page)
        assert "It can be sent as soon as that window is closed." in words(page)
        assert f'action="{anna.base}{path}/send"' not in page.text
        assert f'href="{anna.base}{path}/send">Look again' in page.text
        assert "You have its editor open" in words(await carl.get(f"{path}/send"))
        held = await anna.post(f"{path}/send", **pin)
        assert (held.status_code, "Somebody is changing it" in words(held)) == (409, True)
        asked = await anna.post(f"{path}/edit", window=window_of(page))
        assert "Carl Lund is in this agreement" in words(asked)
        place = {name: inputs(edited)[name] for name in ("window", "fence")}
        await carl.post(f"{path}/edit/beat", **place, leaving="yes")
        assert f'action="{anna.base}{path}/send"' in (await anna.get(f"{path}/send")).text


async def test_a_sent_one_is_changed_with_a_warning_until_it_is_signed(
    console: Console, desk: Desk
) -> None:
    # EX-19, EX-1
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    signing = await desk.open(visitor)
    async with console.signed_in(email=CARL) as carl:
        page = await opened(carl, whole.row.id)
        assert "Saving makes a new version" in words(page)
        assert "Open at this moment with: Vera Ltd" in words(page)
        assert "Counts for whoever is asked from now on" in words(page)
        page = await saved(carl, page, title="Other")
        assert "Saved as version 2" in words(page)
        signing = await desk.open(visitor)
        write = write_of(signing)
        async with console.house.transactions.work() as work:
            await confirm_changes(
                work, visitor, write, frozenset(each.key for each in signing.changes)
            )
        await desk.sign(visitor, write, {"signature-1": DRAWN})
        refused = await saved(carl, page, title="Third")
        assert "Somebody has signed it" in words(refused)
        shown = words(await carl.get(f"{AGREEMENTS}/{whole.row.id}"))
        assert "1 of 1 done" in shown
        assert "All have signed. It is being sealed." in shown


async def test_a_seal_that_fails_says_why(console: Console, desk: Desk) -> None:
    whole = await desk.sent()
    async with console.house.transactions.work() as work:
        row = await work.db.get_one(AgreementRow, whole.row.id)
        row.signed_at, row.seal_failures = work.at, 3
        row.seal_error = "SealUnavailable"
    async with console.signed_in() as anna:
        page = words(await anna.get(f"{AGREEMENTS}/{whole.row.id}"))
    assert "Sealing has failed 3 times and is tried again." in page
    assert "The time-stamping authority does not answer" in page


async def test_every_page_speaks_the_members_language(console: Console, desk: Desk) -> None:
    await make_member(console.house, "dora@office.example", "Dora", Role.ADMIN, locale="de")
    whole = await desk.draft((await desk.party()).id)
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in(email="dora@office.example") as dora:
        page = await opened(dora, whole.row.id)
        assert "Entwurf bearbeiten" in words(page)
        assert "Von links, in %" in words(page)
        assert "{x} % von links" in page.text
        for get, said in (
            ("", "Unterzeichner"),
            ("/send", "Diese Vereinbarung versenden?"),
            ("/cancel", "Diese Vereinbarung abbrechen?"),
            ("/erase", "Diese Vereinbarung löschen?"),
        ):
            assert said in words(await dora.get(path + get)), get
        assert "Neue Vereinbarung" in words(await dora.get(f"{AGREEMENTS}/new"))
        assert "Signaturzertifikat" in words(await dora.get("/settings/signing-certificate"))


async def test_cancelling_asks_why(console: Console, desk: Desk) -> None:
    # EX-23
    whole = await desk.sent()
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in() as anna:
        assert "Nobody can sign it any more." in words(await anna.get(f"{path}/cancel"))
        blank = await anna.post(f"{path}/cancel", rationale=" ")
        assert (blank.status_code, "Say why" in words(blank)) == (422, True)
        done = await anna.follow(await anna.post(f"{path}/cancel", rationale="Not needed"))
        assert "It is cancelled." in words(done)
        assert "Not needed" in words(done)
        again = await anna.get(f"{path}/cancel")
        assert again.status_code == 409
    assert (await agreement(console)).state == "cancelled"


async def test_erasing_says_first_what_will_be_gone_and_asks_why(
    console: Console, desk: Desk
) -> None:
    # PS-28
    whole = await desk.sent(title="Deal with Vera")
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in() as anna:
        assert f'{path}/erase"' in (await anna.get(path)).text
        asked = words(await anna.get(f"{path}/erase"))
        assert "Erase this agreement?" in asked
        assert "What is erased cannot be brought back" in asked
        assert "The public sessions its signers were asked through" in asked
        assert "It is cancelled with that" in asked
        assert "The sealed document" not in asked
        blank = await anna.post(f"{path}/erase", rationale=" ")
        assert (blank.status_code, "Say why" in words(blank)) == (422, True)
        done = words(await anna.follow(await anna.post(f"{path}/erase", rationale="Asked to")))
        assert "It is erased." in done
        assert "Erased agreement Cancelled" in done
        assert "Nothing that was in it is left" in done
        assert "Deal with Vera" not in done
        listed = words(await anna.get(AGREEMENTS))
        assert "Erased agreement Cancelled" in listed
        assert "It was erased" in listed
        gone = await anna.get(f"{path}/document.pdf")
        assert (gone.status_code, "This was erased" in words(gone)) == (410, True)
        assert (await anna.get(f"{path}/pages/1.webp")).status_code == 410
        again = await anna.post(f"{path}/erase", rationale="Asked to")
        assert again.status_code == 303
        assert "Nothing that was in it is left" in words(await anna.get(f"{path}/erase"))
        assert "It is in another state by now." in words(await anna.get(f"{path}/cancel"))


async def test_only_who_may_erase_is_offered_it(console: Console, desk: Desk) -> None:
    whole = await desk.draft((await desk.party()).id)
    path = f"{AGREEMENTS}/{whole.row.id}"
    async with console.signed_in(email=CARL) as carl:
        assert f"{path}/erase" not in (await carl.get(path)).text
        for answer in (
            await carl.get(f"{path}/erase"),
            await carl.post(f"{path}/erase", rationale="Asked to"),
        ):
            assert answer.status_code == 403
    assert (await agreement(console)).erased_at is None


async def test_versions_and_page_pictures_are_given_out(console: Console, desk: Desk) -> None:
    async with console.signed_in(email=CARL) as carl:
        await new(carl)
        path = f"{AGREEMENTS}/{(await agreement(console)).id}"
        pdf = await carl.get(f"{path}/document.pdf?version=1")
        assert pdf.content.startswith(b"%PDF-")
        picture = await carl.get(f"{path}/pages/2.webp")
        assert picture.headers["content-type"] == "image/webp"
        assert picture.content[8:12] == b"WEBP"
        for missing in (
            "pages/3.webp",
            "pages/0.webp",
            "document.pdf?version=9",
            "document.pdf?version=x",
            "sealed.pdf",
        ):
            assert (await carl.get(f"{path}/{missing}")).status_code == 404, missing


async def test_open_as_signer_ends_the_session_and_leads_to_the_door(
    console: Console, desk: Desk
) -> None:
    # EX-5
    whole = await desk.sent()
    path = f"{AGREEMENTS}/{whole.row.id}/signers/1/open"
    link = await console.house.link(await desk.session_of(whole))
    async with console.signed_in() as anna:
        assert "Open as Vera Ltd?" in words(await anna.get(path))
        assert (await anna.get(AGREEMENTS)).status_code == 200
        answer = await anna.post(path)
        assert answer.status_code == 303
        assert answer.headers["location"].endswith(f"/s/{link}")
        assert answer.headers["clear-site-data"] == '"cache"'
        assert anna.cookie("member") is None
        after = await anna.get(AGREEMENTS)
        assert after.status_code == 303
        assert "This browser was handed over to sign" in words(await anna.follow(after))
    assert await console.ends() == ["open_as_signer"]


async def test_only_whose_turn_it_is_can_be_handed_the_device(console: Console, desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Walt Ltd")
    async with console.signed_in() as anna:
        for nobody in ("2", "3"):
            path = f"{AGREEMENTS}/{whole.row.id}/signers/{nobody}/open"
            assert (await anna.get(path)).status_code == 404
            assert (await anna.post(path)).status_code == 404
        await anna.post(f"{AGREEMENTS}/{whole.row.id}/cancel", rationale="x")
        over = await anna.post(f"{AGREEMENTS}/{whole.row.id}/signers/1/open")
        assert over.status_code == 409
        assert (await anna.get(AGREEMENTS)).status_code == 200


async def test_the_certificate_is_made_shown_and_its_root_given_away(console: Console) -> None:
    # PS-43
    path = "/settings/signing-certificate"
    async with console.signed_in() as anna:
        assert "There is none yet." in words(await anna.get(path))
        assert (await anna.get(f"{path}/root.pem")).status_code == 404

        async def sent(step: str, **more: Any) -> Response:
            files = {"file": ("x.p12", b"junk", "application/x-pkcs12")}
            data = {"step": step, "password": "p", "address": "", **more}
            client = anna.party.client
            head = anna.party.sent
            return await client.post(anna.base + path, data=data, files=files, headers=head)

        junk = await sent("import")
        assert (junk.status_code, "no PKCS #12 file" in words(junk)) == (422, True)
        url = await sent("make", address="ftp://x")
        assert (url.status_code, "Enter an address" in words(url)) == (422, True)
        made = await anna.follow(await sent("make"))
        assert "The certificate is made and seals from now on." in words(made)
        assert "PAdES B-LT" in words(made)
        root = await anna.get(f"{path}/root.pem")
        assert root.content.startswith(b"-----BEGIN CERTIFICATE-----")
        assert "PRIVATE" not in made.text
        assert time_stamps(made) == ["", ""]
        stamped = await anna.follow(await sent("make", address="https://tsa.example/tsr"))
        assert "https://tsa.example/tsr" in words(stamped)
        assert time_stamps(stamped) == ["https://tsa.example/tsr"] * 2
        cleared = await sent("import", address="")
        assert time_stamps(cleared) == ["", ""]
        assert (await sent("other")).status_code == 400


async def test_what_the_editor_refuses_links_to_where_it_is(console: Console, desk: Desk) -> None:
    """EX-23: each of them to something that is on the page and can have the focus."""
    whole = await desk.draft((await desk.party()).id)
    typed = {"title": "", "days": "0", "field.0.label": "", "field.0.x": "-1"}
    signers = {"signer.0.party": "nobody", "field.0.signer": "nobody"}
    async with console.signed_in() as anna:
        page = await opened(anna, whole.row.id)
        refused = await saved(anna, page, **typed)
        unknown = await saved(anna, page, new_signer="nobody")
        strange = await saved(anna, page, **signers)
    assert {"title", "days", "f0-label", "f0-x"} <= set(summary_links(refused))
    assert summary_links(unknown) == ["new_signer"]
    for each in (refused, strange):
        assert summary_links(each)
        for at in summary_links(each):
            assert re.search(rf'<(input|select|textarea|h2|button)[^>]* id="{at}"', each.text), at


def summary_links(page: Response) -> list[str]:
    """Where the error summary leads to."""
    summary = re.search(r'id="error-summary".*?</div>', page.text, re.DOTALL)
    assert summary, words(page)
    items = re.findall(r"<li>.*?</li>", summary[0])
    links = re.findall(r'<li><a href="#([^"]*)">', summary[0])
    assert len(items) == len(links)
    return links


def time_stamps(page: Response) -> list[str]:
    """The time-stamping addresses that the forms of another certificate begin with."""
    return re.findall(r'name="address" type="url" maxlength="\d+" value="([^"]*)"', page.text)
