"""Who did what and when, as the certificate of completion says it."""

from collections.abc import Sequence

from commands.receipt_proof import prove
from commands.work import Work
from domain.agreement_completion import AgreementCompletion, SignerCompletion
from domain.public_session import EndReason
from domain.receipt import Proof
from store.agreement import AgreementRow, AgreementSignerRow
from store.binding import BindingRow
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, session_by_id
from store.sealed import opened_one
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
    binding = await _binding(work, signer)
    return SignerCompletion(
        name=signer.name,
        email=party.email if party else "",
        mailbox_confirmed_at=binding.bound_at if binding else None,
        opened_at=signer.opened_at,
        signed_at=signer.signed_at,
        browser=binding.browser if binding else "",
        zone=party.zone if party else "UTC",
    )


async def _binding(work: Work, signer: AgreementSignerRow) -> BindingRow | None:
    """The browser that signed: a completed session keeps the one it was completed in."""
    session = await _session(work, signer)
    if session is None or session.binding_id is None:
        return None
    return await opened_one(work.db, await work.db.get(BindingRow, session.binding_id))


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
