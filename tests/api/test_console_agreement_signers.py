"""What became of asking each signer, and the ways out of a dead end (PS-34, PS-37, C14)."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from httpx2 import AsyncClient
from sqlalchemy import event

from adapters.languages import day_in_short
from commands.agreement import Whole
from commands.agreement_advance import finish_agreement
from commands.mail import agreement_of, note_bounce, note_refused, note_sent
from commands.party import find_party
from commands.public_session import decline, revoke
from domain.actor import Actor, ActorKind
from domain.mail import MailKind
from domain.member import Role
from store.audit import AuditRow
from store.mail import MailRow
from store.party import PartyRow
from store.public_session import session_by_id
from store.sealed import opened_one
from tests.api.factories import API, get
from tests.api.members import BEN, Console, open_console
from tests.rooms.agreements import Desk, write_of
from tests.rooms.house import House
from tests.rooms.member_browser import make_member
from tests.rooms.party_browser import words

AGREEMENTS = "/agreements"
OPEN_WAYS = ("Open as Signer", "Mail the link again", "Give more time", "Correct the address")
AGAIN = "Ask to sign again"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    """Anna administers, Ben audits."""
    async with open_console(database_url) as console:
        yield console


@pytest.fixture
def desk(console: Console) -> Desk:
    return Desk(console.house)


def path_of(whole: Whole) -> str:
    return f"{AGREEMENTS}/{whole.row.id}"


def way(whole: Whole, verb: str, position: int = 1) -> str:
    return f"{path_of(whole)}/signers/{position}/{verb}"


async def declined(house: House, session_id: UUID, reason: str) -> None:
    async with house.transactions.work() as work:
        row = await session_by_id(work.db, session_id, lock=True)
        assert row is not None
        await decline(work, row, reason, Actor(ActorKind.PARTY, str(row.party_id)))


async def mail_failed(house: House, session_id: UUID, *, bounced: bool) -> None:
    mail = (await house.mails(session_id))[-1]
    async with house.transactions.work() as work:
        if bounced:
            await note_sent(work, mail.id)
            await note_bounce(work, mail.id, "550 no such user")
        else:
            await note_refused(work, mail.id, "550 no such user")


async def signer(client: AsyncClient, whole: Whole, position: int = 1) -> dict[str, Any]:
    shown = await get(client, path_of(whole))
    found: dict[str, Any] = shown["signers"][position - 1]
    return found


async def test_the_api_tells_what_became_of_each_signer(client: AsyncClient, house: House) -> None:
    desk = Desk(house)
    whole = await desk.sent("Vera Ltd", "Walt Ltd", ordered=False)
    later = await desk.sent("Xaver Ltd", "Yara Ltd")
    first, second = [await desk.session_of(whole, at) for at in (1, 2)]
    vera = await signer(client, whole)
    assert (vera["state"], vera["mail_state"], vera["mail_detail"]) == ("asked", "queued", "")
    session = await get(client, f"/public-sessions/{first}")
    assert vera["expires_at"] == session["expires_at"]
    yara = await signer(client, later, 2)
    assert (yara["state"], yara["expires_at"], yara["mail_state"]) == ("waiting", None, None)
    await mail_failed(house, first, bounced=True)
    vera = await signer(client, whole)
    assert (vera["state"], vera["mail_detail"]) == ("mail_bounced", "550 no such user")
    await mail_failed(house, second, bounced=False)
    assert (await signer(client, whole, 2))["state"] == "mail_refused"
    await desk.open(await desk.visitor(whole))
    assert (await signer(client, whole))["state"] == "opened"
    await declined(house, first, "The price is wrong")
    vera = await signer(client, whole)
    assert (vera["state"], vera["decline_reason"]) == ("declined", "The price is wrong")
    async with house.transactions.work() as work:
        await revoke(work, house.target(await house.session(second)), "No more")
    assert (await signer(client, whole, 2))["state"] == "revoked"
    house.clock.turn(days=15)
    assert (await signer(client, later))["state"] == "expired"


async def test_who_has_no_address_cannot_be_asked(client: AsyncClient, house: House) -> None:
    desk = Desk(house)
    await desk.certify()
    nobody = (await house.create(kind="signer", name="Nobody Ltd", email="")).party
    whole = await desk.draft((await desk.party()).id, nobody.id)
    pin = {"version": 1, "sha256": whole.row.digest}
    answer = await client.post(f"{API}{path_of(whole)}/send", json=pin)
    assert answer.status_code == 422
    faults = answer.json()["faults"]
    assert [each["pointer"] for each in faults] == ["/signers/1/email"]
    assert (await get(client, path_of(whole)))["state"] == "draft"


async def test_the_send_page_names_who_has_no_address(console: Console, desk: Desk) -> None:
    await desk.certify()
    nobody = (await console.house.create(kind="signer", name="Nobody Ltd", email="")).party
    whole = await desk.draft(nobody.id)
    async with console.signed_in() as anna:
        pin = {"version": "1", "sha256": whole.row.digest}
        page = await anna.post(f"{path_of(whole)}/send", **pin)
    assert page.status_code == 422
    assert "Signer 1, Nobody Ltd, has no mail address." in words(page)


async def test_the_page_says_how_each_signer_stands_and_offers_what_works(
    console: Console, desk: Desk
) -> None:
    whole = await desk.sent("Vera Ltd", "Walt Ltd")
    session_id = await desk.session_of(whole)
    async with console.signed_in() as anna, console.signed_in(email=BEN) as ben:
        page = words(await anna.get(path_of(whole)))
        assert "Waits for their turn" in page
        assert "Has until" in page
        assert all(each in page for each in OPEN_WAYS)
        assert AGAIN not in page
        audited = words(await ben.get(path_of(whole)))
        assert not any(each in audited for each in (*OPEN_WAYS, AGAIN))
        await mail_failed(console.house, session_id, bounced=True)
        page = words(await anna.get(path_of(whole)))
        assert "Mail came back" in page
        assert "550 no such user" in page
        await desk.open(await desk.visitor(whole))
        await declined(console.house, session_id, "The price is wrong")
        page = words(await anna.get(path_of(whole)))
        assert "Has declined" in page
        assert "Declined because: The price is wrong" in page
        assert AGAIN in page
        assert not any(each in page for each in OPEN_WAYS)
        await anna.post(f"{path_of(whole)}/cancel", rationale="x")
        assert AGAIN not in words(await anna.get(path_of(whole)))


async def test_all_signers_sessions_are_one_question(console: Console, desk: Desk) -> None:
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM public_session" in statement:
            asked.append(statement)

    whole = await desk.sent("Vera Ltd", "Walt Ltd", "Xaver Ltd", ordered=False)
    async with console.signed_in() as anna:
        event.listen(console.house.engine.sync_engine, "before_cursor_execute", note)
        await anna.get(path_of(whole))
    assert len(asked) == 1


async def test_past_its_deadline_nobody_can_be_handed_the_device(
    console: Console, desk: Desk
) -> None:
    whole = await desk.sent()
    console.house.clock.turn(days=15)
    async with console.signed_in() as anna:
        page = words(await anna.get(path_of(whole)))
        assert "Time ran out" in page
        assert "Open as Signer" not in page
        assert (await anna.get(way(whole, "open"))).status_code == 409


async def test_the_link_is_mailed_again_but_not_too_soon(console: Console, desk: Desk) -> None:
    # C14
    whole = await desk.sent()
    session_id = await desk.session_of(whole)
    async with console.signed_in() as anna:
        asked = words(await anna.get(way(whole, "resend")))
        assert "Mail the link to Vera Ltd again?" in asked
        assert "vera@signer-" in asked
        soon = await anna.post(way(whole, "resend"))
        assert soon.status_code == 429
        assert "The next mail can be sent from" in words(soon)
        console.house.clock.turn(minutes=2)
        done = await anna.follow(await anna.post(way(whole, "resend")))
        assert "The link is mailed again." in words(done)
    assert len(await console.house.mails(session_id)) == 2
    assert "resent" in await console.house.audit(session_id)


async def test_without_an_address_there_is_nothing_to_mail(console: Console, desk: Desk) -> None:
    whole = await desk.sent()
    async with console.house.transactions.work() as work:
        row = await opened_one(work.db, await work.db.get(PartyRow, whole.signers[0].party_id))
        assert row is not None
        row.email = ""
    async with console.signed_in() as anna:
        assert "There is no mail address of theirs." in words(await anna.get(way(whole, "resend")))
        refused = await anna.post(way(whole, "resend"))
        assert refused.status_code == 409
        assert "There is no mail address of theirs." in words(refused)


async def test_a_signer_gets_more_time_within_the_limits(console: Console, desk: Desk) -> None:
    whole = await desk.sent()
    session_id = await desk.session_of(whole)
    before = (await console.house.session(session_id)).expires_at
    async with console.signed_in() as anna:
        page = await anna.get(way(whole, "extend"))
        limits = re.search(r'min="([^"]+)" max="([^"]+)"', page.text)
        assert limits, words(page)
        first, last = [day_in_short(date.fromisoformat(each), "en") for each in limits.groups()]
        for wrong in ("", "soon", "2020-01-01", "2999-01-01"):
            answer = await anna.post(way(whole, "extend"), until=wrong)
            assert answer.status_code in {409, 422}, wrong
            assert f"Choose a day from {first} to {last}." in words(answer)
        for day in limits.groups():
            typed = {"until": day, "rationale": "On holiday"}
            long = await anna.post(way(whole, "extend"), **typed | {"rationale": "x" * 3000})
            assert (long.status_code, "Say why, in at most" in words(long)) == (422, True)
            assert f'value="{day}"' in long.text
            done = await anna.follow(await anna.post(way(whole, "extend"), **typed))
            assert "There is more time now." in words(done), day
        full = words(await anna.get(way(whole, "extend")))
        assert "There is no more time to give." in full
    assert (await console.house.session(session_id)).expires_at > before + timedelta(days=1)
    rows = [
        each
        for each in await console.house.all(AuditRow)
        if each.event == "public_session.extended"
    ]
    assert [each.reason for each in rows] == ["On holiday", "On holiday"]


async def test_a_corrected_address_gets_a_new_link(console: Console, desk: Desk) -> None:
    # C14
    whole = await desk.sent()
    session_id = await desk.session_of(whole)
    old = await console.house.link(session_id)
    party = await console.house.party(whole.signers[0].party_id)
    right = "vera.right@signer.example"
    async with console.signed_in() as anna:
        assert party.email in (await anna.get(way(whole, "correct-address"))).text
        for wrong in ("", "vera", "a" * 70 + "@signer.example"):
            answer = await anna.post(way(whole, "correct-address"), email=wrong)
            assert answer.status_code == 422
            assert "Enter one mail address" in words(answer)
        same = await anna.post(way(whole, "correct-address"), email=party.email)
        assert same.status_code == 422
        assert "This is the address that there is." in words(same)
        done = await anna.follow(await anna.post(way(whole, "correct-address"), email=f" {right} "))
        assert "The address is corrected" in words(done)
    assert (await console.house.party(party.id)).email == right
    assert await console.house.link(session_id) != old


async def test_who_declined_is_asked_again_and_can_sign(console: Console, desk: Desk) -> None:
    # PS-34
    whole = await desk.sent()
    old = await desk.session_of(whole)
    await desk.open(await desk.visitor(whole))
    async with console.signed_in() as anna:
        early = await anna.post(way(whole, "reissue"), rationale="x")
        assert early.status_code == 409
        assert "It is in another state by now." in words(early)
        await declined(console.house, old, "Wrong price")
        for verb in ("resend", "extend", "correct-address", "open"):
            assert (await anna.get(way(whole, verb))).status_code == 409, verb
        assert "Ask Vera Ltd again?" in words(await anna.get(way(whole, "reissue")))
        for wrong in (" ", "x" * 2001):
            blank = await anna.post(way(whole, "reissue"), rationale=wrong)
            assert (blank.status_code, "at most 2000" in words(blank)) == (422, True)
        done = await anna.follow(await anna.post(way(whole, "reissue"), rationale="Mended"))
        assert "The signer is asked again, with a new link." in words(done)
        # Of another session: whoever is asked again has not opened it.
        assert "Vera Ltd Asked" in words(done)
        twice = await anna.post(way(whole, "reissue"), rationale="Mended")
        assert twice.status_code == 409
    new = await desk.session_of(whole)
    assert new != old
    assert (await console.house.session(new)).reissued_from == old
    assert (await desk.open(await desk.visitor(whole))).row is not None
    assert (await desk.now(whole.row.id)).signers[0].opened_at is not None


async def test_only_who_was_asked_has_a_way_out(console: Console, desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Walt Ltd")
    async with console.signed_in() as anna:
        for verb in ("resend", "extend", "correct-address", "reissue"):
            for nobody in (2, 3):
                assert (await anna.get(way(whole, verb, nobody))).status_code == 404
        await anna.post(f"{path_of(whole)}/cancel", rationale="x")
        for verb in ("resend", "reissue"):
            assert (await anna.get(way(whole, verb))).status_code == 409, verb


async def test_the_ways_out_speak_the_members_language(console: Console, desk: Desk) -> None:
    await make_member(console.house, "dora@office.example", "Dora", Role.ADMIN, locale="de")
    whole = await desk.sent()
    async with console.signed_in(email="dora@office.example") as dora:
        for verb, said in (
            ("resend", "Den Link noch einmal an Vera Ltd schicken?"),
            ("extend", "Vera Ltd mehr Zeit geben?"),
            ("correct-address", "Die Adresse von Vera Ltd berichtigen?"),
        ):
            assert said in words(await dora.get(way(whole, verb))), verb
        await console.house.enter(await desk.session_of(whole))
        await declined(console.house, await desk.session_of(whole), "x")
        assert "Vera Ltd erneut bitten?" in words(await dora.get(way(whole, "reissue")))


async def sealed(desk: Desk) -> Whole:
    """An agreement that its only signer signed, sealed and done, an hour ago."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    await desk.put_seal(whole.row.id)
    async with desk.house.transactions.work() as work:
        await finish_agreement(work, whole.row.id)
    desk.house.clock.turn(hours=1)
    return whole


async def copies(house: House, session_id: UUID) -> list[MailRow]:
    return [each for each in await house.mails(session_id) if each.kind == MailKind.SIGNED_COPY]


async def test_a_signer_is_mailed_the_sealed_document_again(console: Console, desk: Desk) -> None:
    # C14: the mail that brought it was refused, or is lost
    whole = await sealed(desk)
    session_id = await desk.session_of(whole)
    [brought] = await copies(console.house, session_id)
    async with console.house.transactions.work() as work:
        await note_refused(work, brought.id, "552 too large")
    path = way(whole, "mail-copy")
    async with console.signed_in() as anna, console.signed_in(email=BEN) as ben:
        page = words(await anna.get(path_of(whole)))
        assert "The last mail to them was refused. 552 too large" in page
        assert "Mail the document again" in page
        assert "Mail the document again" not in words(await ben.get(path_of(whole)))
        assert (await ben.post(path)).status_code == 403
        assert "It goes to vera@" in words(await anna.get(path))
        assert "The sealed document is mailed again." in words(
            await anna.follow(await anna.post(path))
        )
        first, second = await copies(console.house, session_id)
        assert (agreement_of(second), first.cause != second.cause) == (whole.row.id, True)
        refused = await anna.post(path)
        assert (refused.status_code, len(await copies(console.house, session_id))) == (429, 2)
        assert "They were mailed a short while ago" in words(refused)


async def test_the_api_mails_the_sealed_document_again(
    client: AsyncClient, stranger: AsyncClient, house: House
) -> None:
    # C14
    desk = Desk(house)
    whole = await desk.sent()
    path = f"{API}{path_of(whole)}/signers/1/mail-copy"
    early = await client.post(path)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/agreement-closed")
    done = await sealed(desk)
    path = f"{API}{path_of(done)}/signers"
    assert (await stranger.post(f"{path}/1/mail-copy")).status_code == 404
    assert (await client.post(f"{path}/2/mail-copy")).status_code == 404
    again = await client.post(f"{path}/1/mail-copy")
    assert (again.status_code, again.json()["state"]) == (200, "done")
    session = await house.session(await desk.session_of(done))
    assert len(await copies(house, session.id)) == 2
    async with house.transactions.work() as work:
        party = await find_party(work, house.workspace_id, session.party_id, lock=True)
        party.email = ""
    house.clock.turn(hours=1)
    nowhere = await client.post(f"{path}/1/mail-copy")
    assert nowhere.json()["type"] == "/problems/no-contact-address"
    await client.post(f"{API}{path_of(done)}/erase", json={"rationale": "x", "confirm": "erase"})
    assert (await client.post(f"{path}/1/mail-copy")).status_code == 410
