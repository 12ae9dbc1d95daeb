"""Ways out for one signer: mailed again, given time, addressed anew, asked again (PS-34, C14)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.browser import PostedPairs, field_of, refuse_cross_site
from api.console_agreements import (
    NAME,
    PATH,
    agreement_page,
    back_to,
    is_rationale,
    rationale_in,
    target_of,
)
from api.console_pages import member_page
from api.day import day_in, is_over, local_day
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall
from api.shapes.field import LONGEST_RATIONALE
from commands.agreement_copy_again import mail_copy_again
from commands.agreement_signer import done_signer, ended_signer, open_signer
from commands.attempt import attempt
from commands.party import find_party
from commands.public_session import Target, correct_address, extend, reissue, resend
from domain.agreement_errors import AgreementClosed, AgreementFaulty
from domain.errors import (
    DomainError,
    Erased,
    ExtensionRefused,
    MailTooSoon,
    NoContactAddress,
    PartyInvalid,
    ReissueRefused,
    ScopeRefused,
    SessionEnded,
    TemplateNotIssuable,
)
from domain.fault import Fault
from domain.party import LONGEST_ADDRESS, is_address
from domain.permission import Permission
from store.public_session import PublicSessionRow, session_by_id

ON_THE_FORM = (ExtensionRefused, MailTooSoon, NoContactAddress, PartyInvalid)
"""Told where it was asked: something else can be typed, or done later."""
ON_THE_AGREEMENT = (
    AgreementClosed,
    Erased,
    ReissueRefused,
    ScopeRefused,
    SessionEnded,
    TemplateNotIssuable,
)
"""Told on the agreement's page: there is nothing to be asked any more."""
RESEND, EXTEND, CORRECT, REISSUE = "resend", "extend", "correct-address", "reissue"
COPY = "mail-copy"
FINDS = {REISSUE: ended_signer, COPY: done_signer}
"""Which signers a verb is for; the others are for those whose turn it is."""
PAGES = {
    RESEND: "agreement_signer_resend.html",
    EXTEND: "agreement_signer_extend.html",
    CORRECT: "agreement_signer_address.html",
    REISSUE: "agreement_signer_reissue.html",
    COPY: "agreement_signer_copy.html",
}

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}/{{agreement_id}}/signers/{{position}}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@dataclass(frozen=True, slots=True)
class Form:
    """A confirmation page about one signer: what it asks, what was typed, and what is wrong."""

    call: MemberCall
    agreement_id: UUID
    position: int
    verb: str
    typed: str = ""
    rationale: str = ""
    fault: str = ""
    refused: DomainError | None = None

    @property
    def status(self) -> int:
        """The answer's status."""
        if self.refused:
            return status_of(self.refused)
        return status_of(AgreementFaulty(())) if self.fault else 200


async def _page(form: Form) -> Response:
    call = form.call
    call.needs(Permission.AGREEMENTS_MANAGE)
    target = target_of(call, form.agreement_id)
    find = FINDS.get(form.verb, open_signer)
    try:
        whole, signer, session = await find(call.work, target, form.position)
    except (AgreementClosed, Erased) as refused:
        return await agreement_page(call, form.agreement_id, refused=refused)
    party = await find_party(call.work, call.workspace_id, signer.party_id)
    first, last = days_to_give(call, session)
    return member_page(
        call,
        PAGES[form.verb],
        form.status,
        agreement=whole.row,
        signer=signer,
        public_session=session,
        address=party.email,
        form=form,
        refused=type(form.refused).__name__ if form.refused else "",
        next_at=form.refused.next_at if isinstance(form.refused, MailTooSoon) else None,
        first=first,
        last=last,
        longest=LONGEST_ADDRESS if form.verb == CORRECT else LONGEST_RATIONALE,
    )


def days_to_give(call: MemberCall, session: PublicSessionRow) -> tuple[date, date]:
    """The first and the last day, in the member's zone, that a deadline can be moved to the end of.

    The last is before the first where there is no room left.
    """
    zone = call.member.zone
    latest = session.issued_at + call.work.settings.public_session_longest
    last = local_day(latest, zone)
    if is_over(last, zone) > latest:
        last -= timedelta(days=1)
    return local_day(session.expires_at, zone), last


async def _carried(form: Form, done: str, carry: Callable[[Target], Awaitable[object]]) -> Response:
    """Does it to the signer's public session, or says where it was asked why not."""
    call = form.call
    call.needs(Permission.AGREEMENTS_MANAGE)
    find = FINDS.get(form.verb, open_signer)
    try:
        target = target_of(call, form.agreement_id)
        _, _, session = await find(call.work, target, form.position)
        async with attempt(call.work):
            await carry(Target(session.id, call.workspace_id, call.actor))
    except ON_THE_FORM as refused:
        return await _page(replace(form, refused=refused))
    except ON_THE_AGREEMENT as refused:
        return await agreement_page(call, form.agreement_id, refused=refused)
    return back_to(call, form.agreement_id, done)


@router.get(f"/{RESEND}", name=NAME)
async def get_resend(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Who is mailed the link again, and where."""
    return await _page(Form(call, agreement_id, position, RESEND))


@router.post(f"/{RESEND}", name=NAME)
async def post_resend(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Mails the same link once more; not too soon after the last time (C14)."""
    form = Form(call, agreement_id, position, RESEND)
    return await _carried(form, "mailed", lambda target: resend(call.work, target))


@router.get(f"/{EXTEND}", name=NAME)
async def get_extend(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Asks until when, and why if there is something to say."""
    return await _page(Form(call, agreement_id, position, EXTEND))


@router.post(f"/{EXTEND}", name=NAME)
async def post_extend(
    posted: PostedPairs, call: ConsoleCall, agreement_id: UUID, position: int
) -> Response:
    """Moves the signer's deadline to the end of a later day."""
    typed, rationale = field_of(posted, "until"), rationale_in(posted)
    form = Form(call, agreement_id, position, EXTEND, typed, rationale)
    day = day_in(typed)
    if day is None:
        return await _page(replace(form, fault="until"))
    if len(rationale) > LONGEST_RATIONALE:
        return await _page(replace(form, fault="rationale"))
    until = is_over(day, call.member.zone)
    return await _carried(
        form, "extended", lambda target: extend(call.work, target, until, rationale)
    )


@router.get(f"/{CORRECT}", name=NAME)
async def get_correct(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Asks for the address that mail should have gone to."""
    return await _page(Form(call, agreement_id, position, CORRECT))


@router.post(f"/{CORRECT}", name=NAME)
async def post_correct(
    posted: PostedPairs, call: ConsoleCall, agreement_id: UUID, position: int
) -> Response:
    """Corrects the party's address: the link that went astray is dead, a new one is mailed."""
    typed = field_of(posted, "email").strip()
    form = Form(call, agreement_id, position, CORRECT, typed)
    if not is_address(typed):
        return await _page(replace(form, fault="email"))
    return await _carried(form, "corrected", lambda target: _correct(call, target, typed))


async def _correct(call: MemberCall, target: Target, email: str) -> None:
    """Another address than before; the same one would change nothing, and nothing be mailed."""
    known = await session_by_id(call.work.db, target.session_id)
    epoch = known.link_epoch if known else 0
    if (await correct_address(call.work, target, email)).link_epoch == epoch:
        raise PartyInvalid((Fault("/email", "is the address that there is"),))


@router.get(f"/{REISSUE}", name=NAME)
async def get_reissue(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Asks why."""
    return await _page(Form(call, agreement_id, position, REISSUE))


@router.post(f"/{REISSUE}", name=NAME)
async def post_reissue(
    posted: PostedPairs, call: ConsoleCall, agreement_id: UUID, position: int
) -> Response:
    """Asks a signer again who declined or ran out of time, with a new link (PS-34)."""
    rationale = rationale_in(posted)
    form = Form(call, agreement_id, position, REISSUE, rationale=rationale)
    if not is_rationale(rationale):
        return await _page(replace(form, fault="rationale"))
    return await _carried(form, "asked", lambda target: reissue(call.work, target, rationale))


@router.get(f"/{COPY}", name=NAME)
async def get_copy(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Who is mailed the sealed document again, and where."""
    return await _page(Form(call, agreement_id, position, COPY))


@router.post(f"/{COPY}", name=NAME)
async def post_copy(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Mails the sealed document once more; not too soon after the last time (C14)."""
    form, target = Form(call, agreement_id, position, COPY), target_of(call, agreement_id)
    return await _carried(form, "copied", lambda _: mail_copy_again(call.work, target, position))
