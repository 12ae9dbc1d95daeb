"""What a signature captures: on exactly one version, from the window that holds the place (EX-1).

The version and hash that the page showed come with it and are judged in the transaction that
commits it, under the agreement's lock (EX-20).
"""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from commands.capture import Captured, Posted
from commands.public_session_terms import settings_in
from commands.signer_identity import IDENTITY, OPENED_BY, present_identity
from commands.signing import Signing, SigningWrite, end_window, held_signing, refuse_unseen
from commands.signing_others import SALT, shown_before
from commands.work import Work
from domain.agreement import Pinned
from domain.agreement_answers import read_answers
from domain.agreement_errors import StepUpNeeded
from domain.audit import AuditEvent
from domain.errors import AnswersRefused
from domain.messages import AgreementNews, AgreementStart
from domain.window import Place
from domain.workflow_names import AGREEMENT, SIGNED, agreement_id
from store.public_session import PublicSessionRow, TaskRow

CONSENT = "consent"
FIELDS = "fields"
SALT_BYTES = 16


class SignatureTask:
    """A document read, filled in and signed; or, with nothing to sign in, only filled (PS-42)."""

    async def capture(
        self, work: Work, session: PublicSessionRow, task: TaskRow, posted: Posted
    ) -> Captured:
        """The values and the signature, with exactly what they are on.

        Raises `WindowLost`, `AgreementStale`, `AgreementClosed`, `SignerHasTurn`,
        `ChangesUnconfirmed`, `StepUpNeeded` or `AnswersRefused`.
        """
        write = _write_of(task, posted.values)
        found = await held_signing(work, session, task, write)
        refuse_unseen(found)
        values = _values(found, posted)
        if asks_step_up(found) and not has_stepped_up(work, found):
            raise StepUpNeeded
        evidence = _evidence(found, posted)
        who = await present_identity(work, found.signer.party_id, session)
        opened_by = found.signer.evidence.get(OPENED_BY, {})
        kept = {IDENTITY: who.as_evidence, OPENED_BY: opened_by, SALT: token_hex(SALT_BYTES)}
        _note(work, found, values, evidence | kept)
        return Captured({FIELDS: values, CONSENT: True}, evidence)


def _write_of(task: TaskRow, values: Mapping[str, Any]) -> SigningWrite:
    place = Place(values["window"], values["fence"])
    return SigningWrite(task.key, place, Pinned(values["version"], values["sha256"]))


def _values(found: Signing, posted: Posted) -> dict[str, Any]:
    read = read_answers(found.fields, posted.values[FIELDS], posted.translate, whole=True)
    errors = dict(read.errors)
    if posted.values.get(CONSENT) is not True:
        errors[CONSENT] = posted.translate("Tick the box to agree to what is written beside it.")
    if errors:
        raise AnswersRefused(errors, dict(posted.values[FIELDS]))
    return read.values


def asks_step_up(found: Signing) -> bool:
    """Whether a fresh code is needed: of everybody, also of whoever only reads and confirms."""
    return found.agreement.step_up


def has_stepped_up(work: Work, found: Signing) -> bool:
    """Whether the person typed a fresh code in this very window's time (ASVS 7.5.3)."""
    row = found.row
    if row is None or row.stepped_up_at is None:
        return False
    fresh = work.at < row.stepped_up_at + settings_in(work, found.session).code_life
    return fresh and row.stepped_up_fence == row.fence


def _evidence(found: Signing, posted: Posted) -> dict[str, Any]:
    row = found.row
    stepped_up = row.stepped_up_at if row and asks_step_up(found) else None
    return {
        "agreement": str(found.agreement.id),
        "agreement_version": found.agreement.version,
        "agreement_sha256": found.agreement.digest,
        "document_title": found.version.title,
        "document_sha256": found.version.paper_sha256,
        "statement": found.version.consent,
        "signer": found.position,
        "signs": found.signer.signs,
        "window_fence": row.fence if row else 0,
        "shown_before": shown_before(found),
        "opened_at": found.signer.opened_at.isoformat() if found.signer.opened_at else None,
        "stepped_up_at": stepped_up.isoformat() if stepped_up else None,
        "locale": posted.locale,
    }


def _note(work: Work, found: Signing, values: dict[str, Any], evidence: Mapping[str, Any]) -> None:
    """Writes the signature to the agreement, where the seal finds it, and tells its workflow."""
    row, signer = found.agreement, found.signer
    after = found.value.signed_by(found.position, work.at)
    signer.values, signer.evidence = values, dict(evidence)
    signer.signed_at, signer.signed_version = work.at, row.version
    row.state = after.state
    if found.row is not None:
        end_window(work, found.row, found.task.id)
    if after.is_signed:
        row.signed_at = work.at
    details = {"version": row.version, "sha256": row.digest, "signer": found.position}
    work.audit_session(AuditEvent.AGREEMENT_SIGNED, found.session, found.actor, details=details)
    _tell(work, found)


def _tell(work: Work, found: Signing) -> None:
    workflow = agreement_id(found.agreement.id)
    if found.agreement.session_id is not None:
        # One that came with a task has nobody else to wait for: its workflow begins here.
        start = AgreementStart(str(found.agreement.id))
        work.start_workflow(AGREEMENT, workflow, start)
        return
    news = AgreementNews(str(found.signer.id), found.position)
    work.tell_workflow(AGREEMENT, workflow, SIGNED, news)
