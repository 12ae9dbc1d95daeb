"""Open as Signer: a member hands the device over, and its own session ends first (EX-5)."""

from commands.agreement import AgreementTarget, Whole, own_agreement
from commands.mail import link_of
from commands.member_session import SignedIn, end_session, end_sessions_in
from commands.work import Work
from domain.agreement import OUT
from domain.agreement_errors import AgreementClosed
from domain.errors import NotFound
from domain.member_session import MemberSessionEnd
from store.agreement import AgreementSignerRow
from store.public_session import PublicSessionRow, session_by_id


async def asked_signer(
    work: Work, target: AgreementTarget, position: int
) -> tuple[Whole, AgreementSignerRow, PublicSessionRow]:
    """A signer whose turn it is; raises `NotFound`, or `AgreementClosed` for one that is over."""
    whole = await own_agreement(work, target.agreement_id, target.workspace_id)
    signer = next((each for each in whole.signers if each.position == position), None)
    if signer is None or signer.session_id is None or signer.signed_at is not None:
        raise NotFound("signer")
    session = await session_by_id(work.db, signer.session_id)
    if session is None:
        raise NotFound("signer")
    if whole.row.state not in OUT or session.end_reason is not None:
        raise AgreementClosed(whole.row.state, "sign")
    return whole, signer, session


async def open_as_signer(
    work: Work, target: AgreementTarget, position: int, found: SignedIn, secret: str
) -> str:
    """Ends the member's session, and every other of this browser; the address of the signer's door.

    What the signer is to see there it proves with a code of its own: nothing is handed on.
    """
    _, _, session = await asked_signer(work, target, position)
    reason = MemberSessionEnd.OPEN_AS_SIGNER
    await end_session(work, found.session, reason, target.actor)
    # Whoever has the device now is nobody's colleague in any other workspace either.
    await end_sessions_in(work, secret, reason)
    return link_of(work, session)
