"""What signers and senders are told of an agreement, and what cannot be undone once it is out."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
import pytest_asyncio

from adapters.mail_rendering import render
from commands.agreement import cancel_agreement
from commands.agreement_advance import finish_agreement
from commands.agreement_erasure import erase_agreement
from commands.erasure import erase_party, erase_session
from commands.mail import (
    note_sent,
    queue_agreement_copies,
    queue_issuer_mail,
    queue_party_mail,
)
from commands.mail_draft import compose_mail
from commands.mail_letter import Letter
from commands.public_session import Target, reissue
from commands.public_session_mail import BRINGS_COPIES, session_letter
from commands.room import decline_room
from commands.settlement import settle
from commands.signing_session import leave_signing
from domain.agreement_errors import AgreementFaulty
from domain.audit import AuditEvent
from domain.mail import MailKind
from domain.window import Place
from store.agreement import signers_of
from store.audit import AuditRow
from store.mail import MailRow
from store.public_session import session_by_id
from store.workspace import workspace_by_id
from tests.rooms.agreements import CONTRACT, Desk, write_of
from tests.rooms.house import ANNA, House, bare_house, furnish


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with bare_house(database_url) as house:
        yield Desk(house)


async def mails(house: House, session_id: UUID) -> Sequence[MailRow]:
    return [each for each in await house.all(MailRow) if each.session_id == session_id]


async def kinds(house: House, session_id: UUID) -> list[str]:
    return [each.kind for each in await mails(house, session_id)]


async def test_whoever_is_asked_again_gets_a_request_to_sign(desk: Desk) -> None:
    # PS-43
    whole = await desk.sent()
    session = await desk.house.session(await desk.session_of(whole))
    async with desk.house.transactions.work() as work:
        new = (await reissue(work, desk.house.target(session), "lost the mail")).session
    assert await kinds(desk.house, new.id) == [MailKind.SIGNATURE_REQUEST]


async def test_the_senders_message_is_in_the_request(desk: Desk) -> None:
    # PS-43
    whole = await desk.sent(message="By Friday, please.")
    session_id = await desk.session_of(whole)
    (mail,) = await mails(desk.house, session_id)
    async with desk.house.transactions.work() as work:
        session = await session_by_id(work.db, session_id)
        assert session is not None
        workspace = await workspace_by_id(work.db, desk.house.workspace_id)
        letter = await session_letter(work, mail, session, workspace)
    assert "By Friday, please." in str(letter)


async def test_a_mail_to_the_sender_leads_to_the_agreement_s_page_and_one_to_a_signer_never(
    desk: Desk,
) -> None:
    # PS-43
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    async with desk.house.transactions.work() as work:
        await decline_room(work, visitor, "Not at this price.")
    async with desk.house.transactions.work() as work:
        await settle(work, visitor.session_id)
    told = await mails(desk.house, visitor.session_id)
    assert MailKind.ISSUER_DECLINED in [each.kind for each in told]
    async with desk.house.transactions.work() as work:
        session = await session_by_id(work.db, visitor.session_id)
        workspace = await workspace_by_id(work.db, desk.house.workspace_id)
        assert session is not None
        page = f"/console/{workspace.key}/agreements/{whole.row.id}"
        for mail in told:
            letter = await session_letter(work, mail, session, workspace)
            is_shown = isinstance(letter, Letter) and page in (letter.content.console_link or "")
            assert is_shown == MailKind(mail.kind).to_issuer, mail.kind


async def test_a_mail_to_the_sender_names_the_agreement_and_mixes_no_languages(
    desk: Desk,
) -> None:
    # PS-43: the signer reads German, the sender English; a new version has another title.
    party = (await desk.house.create(kind="signer", name="Jürgen", locale="de")).party
    await desk.certify()
    whole = await desk.send(await desk.draft(party.id))
    whole = await desk.change(whole, {"title": "Supply agreement 4711"})
    session_id = await desk.session_of(whole)
    read = {}
    for kind in (each for each in MailKind if each.to_issuer or each == MailKind.REMINDER):
        mail = await queued(desk.house, session_id, kind, str(whole.row.id))
        read[kind] = render(kind, (await letter_of(desk.house, mail)).content)
    signer_s = read.pop(MailKind.REMINDER)
    assert signer_s.subject == "Erinnerung: Unterschrift für Demo Ltd"
    assert "Unterschrift: Supply agreement" in signer_s.text
    assert {kind: each.subject for kind, each in read.items()} == {
        MailKind.ISSUER_COMPLETED: "Completed: Supply agreement 4711 by Jürgen",
        MailKind.ISSUER_SIGNED: "Signed by everybody: Supply agreement 4711",
        MailKind.ISSUER_EXPIRED: "Not finished in time: Supply agreement 4711 by Jürgen",
        MailKind.ISSUER_DECLINED: "Declined: Supply agreement 4711 by Jürgen",
        MailKind.ISSUER_BOUNCED: "Mail not delivered: Supply agreement 4711 to Jürgen",
    }
    for each in read.values():
        assert '"Supply agreement 4711"' in " ".join(each.text.split())
        assert "Unterschrift" not in each.text + each.html


async def test_what_came_with_a_session_is_named_as_it_is_to_its_issuer(desk: Desk) -> None:
    """Its title is its author's; which of its documents all have signed is said all the same."""
    await furnish(desk.house)
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    issued = await desk.house.issue_to(await desk.party(), "contract")
    (task,) = await desk.house.tasks(issued.session.id)
    title = (await desk.now(task.agreement_id)).row.title if task.agreement_id else ""
    assert title not in {"", "Contract"}
    subjects = []
    for kind in (MailKind.ISSUER_COMPLETED, MailKind.ISSUER_SIGNED):
        mail = await queued(desk.house, issued.session.id, kind, str(task.agreement_id))
        subjects.append(render(kind, (await letter_of(desk.house, mail)).content).subject)
    assert subjects == ["Completed: Contract by Vera Ltd", f"Signed by everybody: {title}"]


async def queued(house: House, session_id: UUID, kind: MailKind, agreement: str) -> MailRow:
    """A mail of a session, as if its time had come."""
    async with house.transactions.work() as work:
        session = await session_by_id(work.db, session_id, lock=True)
        assert session is not None
        session.notify_email = "anna@office.example"
        party = await house.party(session.party_id)
        if kind.to_issuer:
            queue_issuer_mail(work, session, kind, f"agreement:{agreement}")
        else:
            await queue_party_mail(work, session, party, kind, "again")
    return (await mails(house, session_id))[-1]


async def letter_of(house: House, mail: MailRow) -> Letter:
    """What a mail of a session says."""
    async with house.transactions.work() as work:
        assert mail.session_id is not None
        session = await session_by_id(work.db, mail.session_id)
        assert session is not None
        workspace = await workspace_by_id(work.db, house.workspace_id)
        letter = await session_letter(work, mail, session, workspace)
    assert isinstance(letter, Letter)
    return letter


async def test_every_agreement_of_a_session_brings_its_own_copy(desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    both = [await desk.session_of(whole, each) for each in (1, 2)]
    async with desk.house.transactions.work() as work:
        for agreement in (whole.row.id, whole.version.id):
            await queue_agreement_copies(work, agreement, both)
    for each in both:
        assert (await kinds(desk.house, each)).count(MailKind.SIGNED_COPY) == 2


async def test_a_mail_brings_the_one_document_that_it_is_about(desk: Desk) -> None:
    """Two of 10 MiB in each mail would be more than many a mailbox takes."""
    wholes = [await desk.sent(title=each) for each in ("Supply", "Secrecy")]
    session_id = await desk.session_of(wholes[0])
    for each in wholes:
        await desk.put_seal(each.row.id, f"sealed {each.row.title}".encode())
    async with desk.house.transactions.work() as work:
        (second,) = await signers_of(work.db, wholes[1].row.id)
        second.session_id = session_id
        session = await session_by_id(work.db, session_id, lock=True)
        assert session is not None
        session.notify_email = "anna@office.example"
        for each in wholes:
            await queue_agreement_copies(work, each.row.id, [session_id])
    brought = [
        await files_of(desk.house, each)
        for each in await mails(desk.house, session_id)
        if each.kind in BRINGS_COPIES
    ]
    supply, secrecy = (
        ((f"{each}.pdf", f"sealed {each}".encode()),) for each in ("Supply", "Secrecy")
    )
    assert sorted(brought) == [secrecy, secrecy, supply, supply]


async def files_of(house: House, mail: MailRow) -> tuple[tuple[str, bytes], ...]:
    """What a mail brings, by name."""
    letter = await letter_of(house, mail)
    return tuple((each.name, each.content) for each in letter.files)


async def test_the_sender_has_the_copy_though_the_last_signer_was_erased(desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    both = sorted([await desk.session_of(whole, each) for each in (1, 2)])
    async with desk.house.transactions.work() as work:
        for each in both:
            row = await session_by_id(work.db, each, lock=True)
            assert row is not None
            row.notify_email = "anna@office.example"
            if each == both[-1]:
                row.erased_at = work.at
    async with desk.house.transactions.work() as work:
        await queue_agreement_copies(work, whole.row.id, both)
    told = [each.kind for each in await desk.house.all(MailRow)]
    assert told.count(MailKind.ISSUER_SIGNED) == 1
    assert told.count(MailKind.SIGNED_COPY) == 1


async def test_the_sender_is_told_though_every_signer_was_erased_before_the_seal(
    desk: Desk,
) -> None:
    """PS-28: nobody else is left to be told, and it is done all the same."""
    house = desk.house
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    async with house.transactions.work() as work:
        await erase_party(work, house.workspace_id, whole.signers[0].party_id, "asked", ANNA)
    await desk.put_seal(whole.row.id, b"sealed")
    async with house.transactions.work() as work:
        assert (await finish_agreement(work, whole.row.id)).state == "done"
    told = [each for each in await mails(house, visitor.session_id) if each.state == "queued"]
    assert [each.kind for each in told][-1] == MailKind.ISSUER_SIGNED
    async with house.transactions.work() as work:
        draft, _ = await compose_mail(work, told[-1].id)
    assert draft is not None
    assert draft.envelope.recipient == ANNA.email
    assert "Supply agreement" in draft.rendered.text
    assert f"/agreements/{whole.row.id}" in draft.rendered.text
    assert "Vera" not in draft.rendered.text
    assert [(each.name, each.content) for each in draft.others] == [
        ("Supply agreement.pdf", b"sealed")
    ]
    async with house.transactions.work() as work:
        await note_sent(work, told[-1].id)
    assert (await mails(house, visitor.session_id))[-1].state == "sent"


async def test_nothing_is_mailed_of_an_agreement_that_was_erased_as_well(desk: Desk) -> None:
    house = desk.house
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    async with house.transactions.work() as work:
        await erase_party(work, house.workspace_id, whole.signers[0].party_id, "asked", ANNA)
    await desk.put_seal(whole.row.id, b"sealed")
    async with house.transactions.work() as work:
        await finish_agreement(work, whole.row.id)
    async with house.transactions.work() as work:
        await erase_agreement(work, desk.target(whole.row.id), "asked")
    mail = (await mails(house, visitor.session_id))[-1]
    async with house.transactions.work() as work:
        assert await compose_mail(work, mail.id) == (None, "refused")


async def test_a_signer_s_erased_session_keeps_nobody_from_cancelling(desk: Desk) -> None:
    # EX-23
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    target = Target(await desk.session_of(whole, 2), desk.house.workspace_id, ANNA)
    async with desk.house.transactions.work() as work:
        await erase_session(work, target, "asked")
    async with desk.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "Boris is gone")
    assert (await desk.now(whole.row.id)).row.state == "cancelled"


async def test_who_has_signed_is_told_that_it_was_cancelled(desk: Desk) -> None:
    # EX-23
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    async with desk.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "no longer wanted")
    assert MailKind.REVOKED in await kinds(desk.house, visitor.session_id)


@pytest.mark.parametrize("changes", [{"consent": " "}, {"fields": []}], ids=["consent", "fields"])
async def test_a_sent_agreement_stays_fit_to_be_signed(
    desk: Desk, changes: dict[str, object]
) -> None:
    whole = await desk.sent()
    with pytest.raises(AgreementFaulty):
        await desk.change(whole, changes)


async def test_who_need_not_wait_any_more_is_asked_at_once(desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=True)
    await desk.change(whole, {"ordered": False})
    assert await kinds(desk.house, await desk.session_of(whole, 2)) == [MailKind.SIGNATURE_REQUEST]


async def test_leaving_a_window_again_and_again_notes_it_once(desk: Desk) -> None:
    # RELIABILITY 18
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor)
    for _ in range(20):
        async with desk.house.transactions.work() as work:
            await leave_signing(work, visitor, "sign", Place("w1", 1))
        desk.house.clock.turn(seconds=1)
    left = [
        each for each in await desk.house.all(AuditRow) if each.event == AuditEvent.SIGNING_LEFT
    ]
    assert len(left) == 1
