"""The fresh code before signing, on the page: asked for, typed, wrong, right (ASVS 7.5.3)."""

import pytest_asyncio

from store.public_session import SubmissionRow
from tests.api.test_signing import FILLED, Signer, sign, signer_of
from tests.rooms.agreements import Desk, place
from tests.rooms.house import House
from tests.rooms.party_browser import PartyBrowser, rows, words


@pytest_asyncio.fixture
async def signer(house: House, browser: PartyBrowser) -> Signer:
    signer = await signer_of(Desk(house), browser, step_up=True)
    house.clock.turn(minutes=2)
    return signer


async def test_the_way_to_a_signature_with_a_fresh_code(signer: Signer) -> None:
    """C13, N8: every button brings the whole form, so nothing entered is lost on the way."""
    window = await signer.opened()
    assert "To sign, type a code that we mail to v•••@" in window.words
    early = await sign(window)
    assert early.status_code == 403
    assert "A code is needed to sign" in words(early)
    asked = await window.post("code", **FILLED)
    assert asked.status_code == 303
    again = await window.reload()
    assert "You can ask again in" in again.words
    assert 'value="CEO"' in again.page.text  # type: ignore[union-attr]
    session = await signer.desk.session_of(signer.whole)
    code = await signer.browser.mailed_code(session)
    wrong = str((int(code) + 1) % 10**8).zfill(8)
    refused = await window.post("verify", code=wrong, **FILLED)
    assert refused.status_code == 403
    assert "You have 4 more tries" in words(refused)
    short = await window.post("verify", code="12", **FILLED)
    assert short.status_code == 422
    assert "This did not count as a try" in words(short)
    right = await window.post("verify", code=code, **FILLED)
    assert right.status_code == 303
    assert "The code was right" in (await window.reload()).words
    assert (await sign(window)).status_code == 303
    [submission] = await rows(signer.desk.house, SubmissionRow)
    assert submission.evidence["stepped_up_at"]


async def test_whoever_only_reads_is_offered_the_code_that_is_asked_of_them(
    house: House, browser: PartyBrowser
) -> None:
    """PS-42: what refuses without a code also has a way to one, or the agreement would hang."""
    desk = Desk(house)
    await desk.certify()
    parties = [(await desk.party(each)).id for each in ("Vera Ltd", "Otto KG")]
    signers = [{"party": str(parties[0]), "signs": False}, {"party": str(parties[1])}]
    fields = [place("title-1", "text", 1), place("signature-2", "signature", 2)]
    draft = await desk.draft(*parties, step_up=True, signers=signers, fields=fields)
    whole = await desk.send(draft)
    session = await desk.session_of(whole)
    room = await browser.verify(session)
    house.clock.turn(minutes=2)
    window = await Signer(desk, whole, browser, f"{room}/tasks/sign").opened()
    assert "To confirm, type a code that we mail to v•••@" in window.words
    filled = {"field:title-1": "CEO", "consent": "yes"}
    early = await window.post("", **filled)
    assert early.status_code == 403
    assert "A code is needed to confirm" in words(early)
    assert 'name="code"' in early.text
    assert (await window.post("code", **filled)).status_code == 303
    code = await browser.mailed_code(session)
    assert (await window.post("verify", code=code, **filled)).status_code == 303
    assert "You can confirm now" in (await window.reload()).words
    assert (await window.post("", **filled)).status_code == 303
    assert (await desk.now(whole.row.id)).signers[0].signed_at is not None


async def test_a_script_is_told_in_json(signer: Signer) -> None:
    window = await signer.opened()
    refused = await window.post("verify", script=True, code="12345678")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/code-spent")
    ended = await window.post("code", script=True)
    assert (ended.status_code, ended.json()) == (200, {})
