"""The certificate of completion says who signed as it was at the signature, not as it is later."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import col, update

from commands.agreement import Whole
from commands.agreement_completion import completion_of
from commands.party import change_party
from commands.signer_identity import IDENTITY, OPENED_BY
from domain.agreement_completion import SignerCompletion
from store.agreement import signers_of
from store.binding import BindingRow
from store.public_session import SubmissionRow
from tests.rooms.agreements import Desk, place, write_of
from tests.rooms.house import ANNA, House

VICTIM = "ceo@victim.example"


async def signed(desk: Desk) -> Whole:
    """An agreement of two, signed by the first."""
    whole = await desk.sent("Vera Ltd", "Otto KG")
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    return await desk.now(whole.row.id)


async def certified(desk: Desk, whole: Whole) -> SignerCompletion:
    """What the certificate says of the first signer."""
    async with desk.house.transactions.work() as work:
        signers = await signers_of(work.db, whole.row.id)
        return (await completion_of(work, whole.row, signers)).signers[0]


async def readdress(house: House, party: UUID) -> None:
    """A member gives the party somebody else's address."""
    async with house.transactions.work() as work:
        await change_party(work, house.workspace_id, party, {"email": VICTIM}, ANNA)


async def test_an_address_given_after_the_signature_is_not_certified(house: House) -> None:
    desk = Desk(house)
    whole = await signed(desk)
    party = await house.party(whole.signers[0].party_id)
    confirmed_at = house.clock()
    house.clock.turn(minutes=5)
    await readdress(house, party.id)
    said = await certified(desk, whole)
    assert said.email == party.email != VICTIM
    assert said.mailbox_confirmed_at is not None
    assert said.mailbox_confirmed_at <= confirmed_at


async def test_nor_is_a_browser_that_came_after(house: House) -> None:
    desk = Desk(house)
    whole = await signed(desk)
    before = await certified(desk, whole)
    async with house.transactions.work() as work:
        mine = col(BindingRow.workspace_id) == house.workspace_id
        later = work.at + timedelta(days=1)
        await work.db.execute(update(BindingRow).where(mine).values(bound_at=later))
    assert await certified(desk, whole) == before


async def signed_in_two_browsers(desk: Desk, *, corrected: bool = False) -> Whole:
    """Opened in a browser, signed in another ten minutes later."""
    whole = await desk.sent()
    desk.house.clock.turn(minutes=1)
    await desk.open(await desk.visitor(whole), "w1")
    if corrected:
        await readdress(desk.house, whole.signers[0].party_id)
    desk.house.clock.turn(minutes=10)
    visitor = await desk.visitor(whole, door="door-2")
    desk.house.clock.turn(minutes=1)
    await desk.sign(visitor, write_of(await desk.open(visitor, "w2", take_over=True)))
    return await desk.now(whole.row.id)


async def test_it_was_opened_by_somebody_whose_mailbox_was_confirmed(house: House) -> None:
    """And what it was signed with is said, too: whoever comes in again is no other person."""
    desk = Desk(house)
    said = await certified(desk, await signed_in_two_browsers(desk))
    first, last = sorted(each.bound_at for each in await house.all(BindingRow))
    assert (said.mailbox_confirmed_at, said.confirmed_again_at) == (first, last)
    assert said.opened_at is not None
    assert said.signed_at is not None
    assert first <= said.opened_at < last < said.signed_at


async def test_who_opened_it_with_another_mailbox_did_not_open_it(house: House) -> None:
    desk = Desk(house)
    said = await certified(desk, await signed_in_two_browsers(desk, corrected=True))
    last = max(each.bound_at for each in await house.all(BindingRow))
    assert (said.email, said.mailbox_confirmed_at) == (VICTIM, last)
    assert said.confirmed_again_at is None
    assert said.opened_at == last + timedelta(minutes=1)


async def test_before_it_is_signed_no_address_is_kept_with_the_opening(house: House) -> None:
    # PS-28: it is the party's, and goes with it.
    desk = Desk(house)
    whole = await desk.sent()
    await desk.open(await desk.visitor(whole))
    evidence = (await desk.now(whole.row.id)).signers[0].evidence
    assert set(evidence) == {OPENED_BY}
    assert "@" not in str(evidence)


async def test_the_whole_address_stays_with_the_signer(house: House) -> None:
    """PS-13: the submission, which the API shows, has the address masked only."""
    desk = Desk(house)
    whole = await signed(desk)
    kept = whole.signers[0].evidence[IDENTITY]
    party = await house.party(whole.signers[0].party_id)
    [binding] = await house.all(BindingRow)
    assert (kept["email"], kept["binding"]) == (party.email, str(binding.id))
    assert kept["mailbox_confirmed_at"] == binding.bound_at.isoformat()
    [submission] = await house.all(SubmissionRow)
    assert IDENTITY not in submission.evidence
    assert party.email not in str(submission.evidence)


async def test_a_signature_from_before_is_certified_as_it_is_at_present(house: House) -> None:
    desk = Desk(house)
    whole = await signed(desk)
    async with house.transactions.work() as work:
        row = (await signers_of(work.db, whole.row.id))[0]
        row.evidence = {name: each for name, each in row.evidence.items() if name != IDENTITY}
    said = await certified(desk, whole)
    assert said.email == (await house.party(whole.signers[0].party_id)).email
    assert said.mailbox_confirmed_at is not None


async def test_who_does_not_sign_is_certified_as_such(house: House) -> None:
    # PS-42
    desk = Desk(house)
    party = str((await desk.party()).id)
    whole = await desk.sent(
        signers=[{"party": party, "signs": False}], fields=[place("title-1", "text", 1)]
    )
    assert not (await certified(desk, whole)).signs
    assert (await certified(desk, await signed(desk))).signs
