"""Open as Signer: a member hands the device over, and its own session ends first (EX-5)."""

from commands.agreement import AgreementTarget
from commands.agreement_signer import open_signer
from commands.mail import link_of
from commands.member_session import SignedIn, end_session, end_sessions_in
from commands.work import Work
from domain.member_session import MemberSessionEnd


async def open_as_signer(
    work: Work, target: AgreementTarget, position: int, found: SignedIn, secret: str
) -> str:
    """Ends the member's session, and every other of this browser; the address of the signer's door.

    What the signer is to see there it proves with a code of its own: nothing is handed on.
    """
    _, _, session = await open_signer(work, target, position)
    reason = MemberSessionEnd.OPEN_AS_SIGNER
    await end_session(work, found.session, reason, target.actor)
    # Whoever has the device now is nobody's colleague in any other workspace either.
    await end_sessions_in(work, secret, reason)
    return link_of(work, session)
