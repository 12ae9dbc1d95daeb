"""The signers of an agreement with what became of asking each of them (EX-23, PS-37)."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.agreement import AgreementTarget, Whole, members_agreement
from commands.work import Work
from domain.agreement import OUT, AgreementState
from domain.agreement_errors import AgreementClosed
from domain.agreement_signer import Asking, SignerState, signer_state
from domain.errors import Erased, NotFound
from domain.mail import MailState
from store.agreement import AgreementSignerRow
from store.public_session import PublicSessionRow, session_by_id, sessions_by_ids, value_of
from store.sealed import opened

UNDELIVERED = frozenset({MailState.REFUSED, MailState.BOUNCED})


AskedOne = tuple[Whole, AgreementSignerRow, PublicSessionRow]
"""An agreement, one of its signers, and the public session that it was asked through."""


@dataclass(frozen=True, slots=True)
class SignerProgress:
    """One signer, the public session it was asked through, and how far that came."""

    row: AgreementSignerRow
    session: PublicSessionRow | None
    state: SignerState

    @property
    def decline_reason(self) -> str:
        """The signer's own words for not signing, or ""."""
        declined = self.session is not None and self.state == SignerState.DECLINED
        return self.session.decline_reason if declined and self.session else ""

    @property
    def mail_detail(self) -> str:
        """Why the last mail did not arrive, in the mail server's words, or ""."""
        session = self.session
        return session.mail_detail if session and session.mail_state in UNDELIVERED else ""


async def progress_of(work: Work, whole: Whole) -> list[SignerProgress]:
    """Every signer of an agreement, by position, with one question for all their sessions."""
    asked = [each.session_id for each in whole.signers if each.session_id is not None]
    rows = await sessions_by_ids(work.db, asked) if asked else []
    sessions = {each.id: each for each in rows}
    found = [
        _progress(work, each, sessions.get(each.session_id) if each.session_id else None)
        for each in whole.signers
    ]
    await _open_words(work, found)
    return found


def _progress(
    work: Work, row: AgreementSignerRow, session: PublicSessionRow | None
) -> SignerProgress:
    asking = None
    if session is not None:
        # By arithmetic: past its deadline a session is over, whoever has noticed (PS-29).
        end_reason = value_of(session, ()).end_at(work.at)
        asking = Asking(end_reason, MailState(session.mail_state))
    return SignerProgress(row, session, signer_state(asking, row.opened_at, row.signed_at))


async def _open_words(work: Work, found: Sequence[SignerProgress]) -> None:
    """Reads keys only where there are words to be read, which is seldom."""
    await opened(
        work.db,
        [
            each.session
            for each in found
            if each.session is not None
            and (each.state == SignerState.DECLINED or each.session.mail_state in UNDELIVERED)
        ],
    )


async def _unsigned_signer(work: Work, target: AgreementTarget, position: int) -> AskedOne:
    """A signer who has not signed, its session over or not."""
    whole, signer, session = await _asked_signer(work, target, position)
    if whole.row.state not in OUT or signer.signed_at is not None:
        raise AgreementClosed(whole.row.state, "sign")
    return whole, signer, session


async def _asked_signer(work: Work, target: AgreementTarget, position: int) -> AskedOne:
    whole = await members_agreement(work, target.agreement_id, target.workspace_id)
    signer = next((each for each in whole.signers if each.position == position), None)
    if signer is None or signer.session_id is None:
        raise NotFound("signer")
    session = await session_by_id(work.db, signer.session_id)
    if session is None:
        raise NotFound("signer")
    return whole, signer, session


async def done_signer(work: Work, target: AgreementTarget, position: int) -> AskedOne:
    """A signer of a sealed agreement, to whom the document was mailed.

    Raises `NotFound`, `AgreementClosed` before there is a sealed document, or `Erased`.
    """
    found = await _asked_signer(work, target, position)
    row = found[0].row
    if row.erased_at is not None:
        raise Erased
    if row.state != AgreementState.DONE:
        raise AgreementClosed(row.state, "mail a copy of")
    return found


async def open_signer(work: Work, target: AgreementTarget, position: int) -> AskedOne:
    """A signer whose turn it is.

    Raises `NotFound` for one who was not asked, `AgreementClosed` where nothing is to be signed, or
    not in this session any more.
    """
    found = await _unsigned_signer(work, target, position)
    if value_of(found[2], ()).end_at(work.at) is not None:
        raise AgreementClosed(found[0].row.state, "sign")
    return found


async def ended_signer(work: Work, target: AgreementTarget, position: int) -> AskedOne:
    """A signer whose session ended unsigned; raises as `open_signer`, and for an open one."""
    found = await _unsigned_signer(work, target, position)
    if value_of(found[2], ()).end_at(work.at) is None:
        raise AgreementClosed(found[0].row.state, "ask again")
    return found
