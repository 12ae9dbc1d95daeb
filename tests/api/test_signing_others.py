"""What a signer is shown of the others, and what is kept of that (EX-1)."""

from commands.agreement import Whole
from commands.agreement_advance import advance_agreement
from domain.agreement_field import AgreementField
from domain.agreement_shown import ShownField, shown_sha256
from store.public_session import SubmissionRow
from tests.api.test_signing import DRAWING, Signer, Window
from tests.rooms.agreements import DRAWN, Desk, place, write_of
from tests.rooms.house import House
from tests.rooms.party_browser import PartyBrowser, rows

FIELDS = [
    place("account", "text", 1, required=False),
    place("start", "date", 1),
    place("agrees", "checkbox", 1, required=False),
    place("note", "text", 1, required=False),
    place("signature-1", "signature", 1),
    place("signature-2", "signature", 2),
]
VERAS = {
    "account": "DE89 3704 0044 0532 0130 00",
    "start": "2026-05-31",
    "agrees": True,
    "signature-1": DRAWN,
}


async def sign_first(desk: Desk, whole: Whole) -> None:
    """The first signer signs, and the next is asked."""
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)), VERAS)
    async with desk.house.transactions.work() as work:
        await advance_agreement(work, whole.row.id)


async def second(desk: Desk, whole: Whole, browser: PartyBrowser) -> Window:
    """The second signer's window."""
    room = await browser.verify(await desk.session_of(whole, 2))
    return await Signer(desk, whole, browser, f"{room}/tasks/sign").opened()


async def test_whoever_signs_after_reads_what_was_filled_in_before(
    house: House, browser: PartyBrowser
) -> None:
    desk = Desk(house)
    whole = await desk.sent("Vera Ltd", "Otto KG", fields=FIELDS)
    await sign_first(desk, whole)
    window = await second(desk, whole, browser)
    for said in (VERAS["account"], "2026-05-31", "✓", "left empty", "Signed by Vera Ltd"):
        assert str(said) in window.words
    assert "Filled in and signed before you" in window.words
    assert "sign beside you" not in window.words
    filled = {"drawn:signature-2": DRAWING, "consent": "yes"}
    assert (await window.post("", **filled)).status_code == 303
    vera, otto = (await desk.now(whole.row.id)).signers
    kept, salt = otto.evidence["shown_before"], vera.evidence["salt"]
    shown = [
        ShownField(AgreementField.of(each), "Vera Ltd", True, VERAS.get(each["key"]), salt)
        for each in FIELDS
        if each["signer"] == 1
    ]
    assert len(bytes.fromhex(salt)) == 16, "without it, once she is erased, the hash says nothing"
    assert kept == {"positions": [1], "sha256": shown_sha256(shown)}
    submitted = [each.evidence["shown_before"] for each in await rows(house, SubmissionRow)]
    assert kept in submitted
    assert {"positions": [], "sha256": shown_sha256([])} in submitted


async def test_whoever_signs_beside_others_is_told_that_theirs_may_follow(
    house: House, browser: PartyBrowser
) -> None:
    desk = Desk(house)
    whole = await desk.sent("Vera Ltd", "Otto KG", fields=FIELDS, ordered=False)
    window = await second(desk, whole, browser)
    assert "they may fill in their fields after you have signed" in window.words
    assert "Filled in and signed before you" not in window.words
    house.clock.turn(seconds=1)
    await sign_first(desk, whole)
    after = await window.reload()
    assert "Signed by Vera Ltd" in after.words
    assert "they may fill in their fields after you have signed" not in after.words
    filled = {"drawn:signature-2": DRAWING, "consent": "yes"}
    assert (await window.post("", **filled)).status_code == 303
    kept = (await desk.now(whole.row.id)).signers[1].evidence["shown_before"]
    assert kept["positions"] == [], "it may have been signed by a page from before"
