"""Who did what and when, as the certificate of completion says it."""

from collections.abc import Sequence
from datetime import datetime

from commands.receipt_proof import prove
from commands.signer_identity import entries_of, identity_of
from commands.work import Work
from domain.agreement_completion import AgreementCompletion, SignerCompletion
from domain.public_session import EndReason
from domain.receipt import Proof
from store.agreement import AgreementRow, AgreementSignerRow
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, session_by_id
from store.workspace import workspace_by_id


async def completion_of(
    work: Work, row: AgreementRow, signers: Sequence[AgreementSignerRow]
) -> AgreementCompletion:
    """What the certificate says; its proof is of the last signature, once the log has it signed."""
    told = [await _signer(work, each) for each in signers]
    first = await party_by_id(work.db, row.workspace_id, signers[0].party_id) if signers else None
    return AgreementCompletion(
        workspace_name=(await workspace_by_id(work.db, row.workspace_id)).name,
        title=row.title,
        reference=str(row.id),
        version=row.version,
        sha256=row.digest,
        sent_at=row.sent_at or row.created_at,
        completed_at=row.signed_at or work.at,
        signers=tuple(told),
        locale=first.locale if first else "en",
        zone=first.zone if first else "UTC",
        proof=await _proof(work, signers),
    )


async def _signer(work: Work, signer: AgreementSignerRow) -> SignerCompletion:
    party: PartyRow | None = await party_by_id(work.db, signer.workspace_id, signer.party_id)
    identity = await identity_of(work, signer)
    entered_at, again_at = entries_of(signer, identity)
    return SignerCompletion(
        name=signer.name,
        email=identity.email,
        mailbox_confirmed_at=entered_at,
        confirmed_again_at=again_at,
        opened_at=signer.opened_at,
        stepped_up_at=_stepped_up_at(signer),
        signed_at=signer.signed_at,
        browser=identity.browser,
        zone=party.zone if party else "UTC",
        signs=signer.signs,
    )


def _stepped_up_at(signer: AgreementSignerRow) -> datetime | None:
    """When the fresh code was typed that this very signature needed."""
    at = signer.evidence.get("stepped_up_at")
    return datetime.fromisoformat(at) if at else None


async def _session(work: Work, signer: AgreementSignerRow) -> PublicSessionRow | None:
    return await session_by_id(work.db, signer.session_id) if signer.session_id else None


async def _proof(work: Work, signers: Sequence[AgreementSignerRow]) -> Proof | None:
    last = max(signers, key=lambda each: each.signed_at or work.at)
    session = await _session(work, last)
    if session is None or session.end_reason != EndReason.COMPLETED:
        # One of several tasks: what proves it is the receipt, once the others are done.
        return None
    proven = await prove(work, session)
    return proven.proof if proven else None
