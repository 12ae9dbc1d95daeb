"""What the end of a public session means for what was still to be signed in it."""

from commands.signing import end_window
from commands.work import Work
from domain.actor import Actor
from domain.agreement import OUT, AgreementState, subject_of
from domain.audit import AuditEvent
from domain.messages import AgreementNews
from domain.public_session import EndReason
from domain.workflow_names import AGREEMENT, DECLINED, agreement_id
from store.agreement import AgreementRow, agreements_of_session, lock_signed_in
from store.public_session import PublicSessionRow
from store.signing_session import signing_sessions_of


async def end_signing(
    work: Work, session: PublicSessionRow, reason: EndReason, actor: Actor
) -> None:
    """No window of it may act any more; an agreement that came with the session ends with it.

    A member's own agreement stays as it is: the sender hears of the end and decides (EX-23).
    """
    # Agreements before windows, as a window's own sign of life locks them.
    await lock_signed_in(work.db, session.id)
    for row in await signing_sessions_of(work.db, session.id):
        end_window(work, row, session.id)
        if reason == EndReason.DECLINED:
            news = AgreementNews(str(row.id), row.position)
            work.tell_workflow(AGREEMENT, agreement_id(row.agreement_id), DECLINED, news)
    for each in await agreements_of_session(work.db, session.id):
        if each.state in OUT and each.signed_at is None:
            _cancel(work, session, each, actor)


async def cancel_unsealed(work: Work, session: PublicSessionRow, actor: Actor) -> None:
    """What came with a session that is being erased is over, also where all have signed.

    There is no key any more to seal it with: it would be tried for ever.
    """
    await lock_signed_in(work.db, session.id)
    for each in await agreements_of_session(work.db, session.id):
        if each.state in OUT and each.sealed_paper_id is None:
            _cancel(work, session, each, actor)


def _cancel(work: Work, session: PublicSessionRow, row: AgreementRow, actor: Actor) -> None:
    row.state, row.ended_at = AgreementState.CANCELLED, work.at
    details = {"version": row.version, "sha256": row.digest, "public_session": str(session.id)}
    event, subject = AuditEvent.AGREEMENT_CANCELLED, subject_of(row.id)
    work.audit_subject(event, row.workspace_id, subject, actor, details)
