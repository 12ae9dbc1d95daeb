"""Ends and changes from our side, seen from the party's: at once, with the true reason."""

import re
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from commands.party import create_party
from commands.work import Transactions
from domain.actor import Actor, ActorKind
from domain.party import PartyFields
from store.intent import IntentRow
from store.public_session import PublicSessionRow
from tests.e2e.answers import VENDOR_INTAKE
from tests.e2e.caller import PROFILE, Caller
from tests.e2e.house import Office, link_in, until
from tests.e2e.person import Browsers, Person
from tests.e2e.test_two_browsers import comes_in, listening

pytestmark = pytest.mark.timeout(120)

MESSAGE = "The tender was cancelled; you need to do nothing."
RATIONALE = "Duplicate of supplier 4711"


async def working(browsers: Browsers, office: Office, session: UUID) -> Person:
    """Somebody in the middle of a task whose page hears of ends."""
    person = await comes_in(await browsers.person(), office, session)
    await person.begin(VENDOR_INTAKE[0][0])
    await listening(person.page)
    await person.hands.answer(person.page, {"Street and number": "Rua das Flores 12"})
    return person


async def hears(person: Person, words: str | re.Pattern[str], within: float = 2) -> None:
    """The notice is over the open page in time; the promise is a second, the rest is for CI."""
    begun = time.monotonic()
    await person.notice.get_by_role("heading", name=words).wait_for()
    assert time.monotonic() - begun < within


async def test_revoked_while_the_page_is_open(office: Office, browsers: Browsers) -> None:
    """PS-30, RELIABILITY 3: the page tells, the next request and the link are refused; the party
    reads the message and never the rationale, which the audit has."""
    session = await office.vendor("vera")
    link = await office.mailed_link("vera")
    person = await working(browsers, office, session)
    await office.post(
        f"public-sessions/{session}/revoke", {"rationale": RATIONALE, "message": MESSAGE}
    )
    await hears(person, re.compile("has withdrawn this$"))
    refused = await person.page.context.request.post(
        person.page.url, form=dict(PROFILE), headers={"sec-fetch-site": "same-origin"}
    )
    assert refused.status == 410
    for path in (f"/sessions/{session}", link, f"{link}/code"):
        answer = await person.page.goto(f"{office.house.url}{path}" if path[0] == "/" else path)
        assert answer is not None
        assert answer.status == 410
        await person.sees(re.compile("has withdrawn this$"))
        await person.reads(MESSAGE)
        assert RATIONALE not in await person.page.content()
    mail = await office.mail("vera", "Closed: Vendor intake")
    assert MESSAGE in " ".join(mail.text.split())
    assert RATIONALE not in mail.text + mail.html
    [revoked] = [
        each for each in await office.audit(session) if each["event"] == "public_session.revoked"
    ]
    assert revoked["reason"] == RATIONALE
    assert revoked["actor_label"] == "Olivia Owner"
    shown = await office.session(session)
    assert (shown["end_reason"], shown["progress"]["done"]) == ("revoked", 0)


SHORT = timedelta(seconds=12)
"""A bound that no template may have: long enough to come in, short enough to wait for."""


class LeftToTheWorker:
    """Intents stay in their rows; the worker's loop delivers them within a second or two."""

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Leaves them."""


async def short_session(office: Office) -> PublicSessionRow:
    """A vendor's session whose row and workflow are bound to a few seconds from now."""
    known = office.transactions
    begin = Transactions(office.engine, known.settings, known.keyring, LeftToTheWorker())
    fields = PartyFields("vendor", "Vera Ltd", office.address("vera"))
    owner = Actor(ActorKind.TOKEN, "t1", "Olivia Owner", office.address("owner"))
    async with begin.work() as work:
        [session] = (await create_party(work, office.workspace_id, fields, owner)).issued
        session.expires_at = work.at + SHORT
        for intent in work.intents:
            intent.due_at = work.at
            if "expires_at" in intent.payload:
                bound = {"expires_at": session.expires_at.isoformat(), "reminders": []}
                intent.payload = intent.payload | bound
    return session


async def test_the_deadline_ends_an_open_page(office: Office, browsers: Browsers) -> None:
    """PS-29: the page tells at the deadline itself; the workflow makes it act: mails, no effect."""
    row = await short_session(office)
    person = await working(browsers, office, row.id)
    await person.notice.get_by_role("heading", name="The time for this is over").wait_for()
    late = (datetime.now(UTC) - row.expires_at).total_seconds()
    assert 0 <= late < 2
    await person.open(await office.link(row.id))
    await person.sees("The time for this is over")
    await office.mail("vera", "Time is over: Vendor intake")
    await office.mail("owner", "Not finished in time: Vendor intake")
    assert (await office.session(row.id))["status"] == "expired"
    assert (await office.get(f"parties/{row.party_id}"))["state"] == "registered"


async def test_reissued_while_the_page_is_open(office: Office, browsers: Browsers) -> None:
    """PS-34: the old page and link say that there is a newer one; its mail leads into that."""
    session = await office.vendor("vera")
    old = await office.mailed_link("vera")
    person = await working(browsers, office, session)
    new = await office.post(f"public-sessions/{session}/reissue", {"rationale": "Wrong form"})
    assert new["reissued_from"] == str(session)
    await hears(person, "This was replaced by a newer one")
    await person.open(old)
    await person.sees("This was replaced by a newer one")
    mail = await office.mail("vera", "Vendor intake", number=2)
    assert link_in(mail.text) != old
    fresh = await office.fresh_code(UUID(new["id"]))
    await person.come_in(link_in(mail.text), fresh)
    assert (await office.session(session))["end_reason"] == "reissued"


async def test_the_address_is_corrected(office: Office, browsers: Browsers) -> None:
    """C14: whoever got the first mail is out and has a dead link; the right person comes in."""
    session = await office.vendor("vrea")
    old = await office.mailed_link("vrea")
    stranger = await working(browsers, office, session)
    await office.post(
        f"public-sessions/{session}/correct-address", {"email": office.address("vera")}
    )
    await stranger.notice.wait_for()
    gone = await stranger.page.goto(old)
    assert gone is not None
    assert gone.status == 404
    link = await office.mailed_link("vera")
    assert link != old
    # Neither its room nor Quit tells the browser that is out what the new link is.
    caller, room = stranger.page.context.request, f"{office.house.url}/sessions/{session}"
    own = {"sec-fetch-site": "same-origin"}
    for told in (await caller.get(room), await caller.post(f"{room}/quit", headers=own)):
        assert link.rpartition("/")[2] not in await told.text()
    person = await browsers.person()
    await person.open(link)
    await person.ask_for_code()
    await person.confirm(await office.mailed_code("vera"))
    await person.sees("Vendor intake")
    assert "public_session.link_renewed" in await office.events(session)


async def test_extended_and_sent_again(office: Office, browsers: Browsers) -> None:
    """C14, PS-5: the page shows the later deadline; the mail comes again with the same link."""
    session = await office.vendor("vera")
    link = await office.mailed_link("vera")
    person = await working(browsers, office, session)
    until_when = datetime.now(UTC) + timedelta(days=40)
    later = {"expires_at": until_when.isoformat(), "rationale": "Holidays"}
    await office.post(f"public-sessions/{session}/extend", later)
    await person.open(f"{office.house.url}/sessions/{session}")
    await person.reads(f"{until_when:%B} {until_when.year}")
    await office.sql(
        "UPDATE mail SET created_at = created_at - interval '2 minutes' WHERE session_id = :id",
        id=session,
    )
    await office.post(f"public-sessions/{session}/resend")
    again = await office.mail("vera", "Vendor intake", number=2)
    assert link_in(again.text) == link
    too_soon = await office.client.post(f"/api/v1/public-sessions/{session}/resend")
    assert too_soon.status_code == 429
    assert int(too_soon.headers["retry-after"]) > 0
    events = await office.events(session)
    assert {"public_session.extended", "public_session.resent"} <= set(events)


async def test_a_request_that_began_after_the_revocation_is_never_taken(office: Office) -> None:
    """PS-30: ten parties send while they are revoked; every answer fits the order of things."""
    for number in range(10):
        session = await office.vendor(f"vera{number}")
        async with Caller(office.house.url) as party:
            await party.come_in(await office.link(session), await office.fresh_code(session))
            assert (await party.complete(session, "profile")).status_code == 303
            await office.post(f"public-sessions/{session}/revoke", {"rationale": RATIONALE})
            assert (await party.complete(session, "categories")).status_code == 410
            assert (await party.get(f"/sessions/{session}")).status_code == 410
        assert (await office.session(session))["progress"]["done"] == 1


async def test_a_mailbox_that_does_not_exist_is_shown(office: Office) -> None:
    """PS-37: without an address nothing is sent, and the session says so."""
    created = await office.create("nobody", email="")
    [issued] = created["issued"]

    async def refused() -> bool:
        shown = await office.session(issued["public_session"])
        return bool(shown["mail_state"] == "refused")

    await until(refused, "the missing address is shown")
