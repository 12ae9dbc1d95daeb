"""What a workspace seals signed documents with: made here, or brought along (PS-43)."""

import asyncio
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from adapters.signing_certificate import SigningCertificate, made
from adapters.signing_certificate_file import opened
from adapters.signing_certificate_import import CertificateReason
from adapters.signing_certificate_import import CertificateRefused as ImportRefused
from commands.work import Work
from domain.actor import Actor
from domain.agreement_errors import CertificateRefused, NoSigningCertificate
from domain.audit import AuditEvent
from store.signing_certificate import SigningCertificateRow, current_certificate
from store.workspace import workspace_by_id

MADE, IMPORTED = "made", "imported"
YEARS = 10


WHY = {
    CertificateReason.UNREADABLE: "This is no PKCS #12 file (.p12 or .pfx).",
    CertificateReason.TOO_SLOW: "The file takes too long to open: at most 2 million iterations and"
    " 15 seconds.",
    CertificateReason.NAME_UNUSABLE: "The certificate has a name that cannot be compared.",
    CertificateReason.WRONG_PASSWORD: "The password does not open this file.",
    CertificateReason.NO_KEY: "The file has no private key, or no certificate for it.",
    CertificateReason.WEAK_KEY: "The key is too weak: RSA of 2048 bits, or P-256, P-384 or P-521.",
    CertificateReason.LARGE_KEY: "The key is too large: RSA of 4096 bits at most.",
    CertificateReason.NOT_FOR_SIGNING: "The certificate may not be used for signing.",
    CertificateReason.NOT_YET_VALID: "The certificate is not valid yet.",
    CertificateReason.EXPIRED: "The certificate has expired.",
}


async def make_certificate(company: str, at: datetime) -> SigningCertificate:
    """A new certificate with a root of its own; the keys are made beside the event loop."""
    return await asyncio.to_thread(made, company, at=at, years=YEARS)


async def import_certificate(
    workspace_id: UUID, pkcs12: bytes, password: str, at: datetime
) -> SigningCertificate:
    """The certificate in a PKCS #12 file; raises `CertificateRefused` or `FileCheckBroken`."""
    try:
        return await opened(pkcs12, password, at=at, workspace_id=workspace_id)
    except ImportRefused as error:
        raise CertificateRefused(error.reason, WHY[error.reason]) from error


async def certificate_of(work: Work, workspace_id: UUID) -> SigningCertificateRow:
    """The certificate that seals now; raises `NoSigningCertificate` without one in its time."""
    row = await current_certificate(work.db, workspace_id)
    if row is None or row.not_after <= work.at:
        raise NoSigningCertificate
    return row


async def certificate_kept(work: Work, workspace_id: UUID, actor: Actor) -> SigningCertificateRow:
    """The certificate that seals; one is made, in the workspace's name, if there is none."""
    try:
        return await certificate_of(work, workspace_id)
    except NoSigningCertificate:
        name = (await workspace_by_id(work.db, workspace_id)).name
        certificate = await asyncio.to_thread(made, name, at=work.at, years=YEARS)
        return await keep_certificate(work, workspace_id, certificate, actor)


async def keep_certificate(
    work: Work,
    workspace_id: UUID,
    certificate: SigningCertificate,
    actor: Actor,
    timestamp_url: str = "",
) -> SigningCertificateRow:
    """The certificate seals from now on; what was sealed before stays as it is."""
    before = await current_certificate(work.db, workspace_id, lock=True)
    if before is not None:
        before.retired_at = work.at
        await work.db.flush()
    origin = MADE if certificate.root_key else IMPORTED
    row = SigningCertificateRow(
        workspace_id=workspace_id,
        origin=origin,
        subject=certificate.subject,
        fingerprint=certificate.fingerprint,
        not_after=certificate.not_after,
        timestamp_url=timestamp_url,
        created_by=str(actor),
        created_at=work.at,
        chain=certificate.chain.decode(),
        key=certificate.key.decode(),
        revocation_lists=[b64encode(each).decode() for each in certificate.crls],
        root_key=certificate.root_key.decode(),
    )
    work.db.add(row)
    event = AuditEvent.CERTIFICATE_MADE if origin == MADE else AuditEvent.CERTIFICATE_IMPORTED
    details: dict[str, Any] = {
        "fingerprint": row.fingerprint,
        "not_after": row.not_after.isoformat(),
    }
    if timestamp_url != (before.timestamp_url if before else ""):
        # Where time stamps come from, from now on; a path may be a customer's secret.
        details["timestamp_host"] = urlsplit(timestamp_url).hostname or ""
    work.audit_subject(event, workspace_id, "signing_certificate", actor, details)
    return row


def certificate_in(row: SigningCertificateRow) -> SigningCertificate:
    """The certificate with its key, to seal with."""
    return SigningCertificate(
        chain=row.chain.encode(),
        key=row.key.encode(),
        crls=tuple(map(b64decode, row.revocation_lists)),
        not_after=row.not_after,
        fingerprint=row.fingerprint,
        root_key=row.root_key.encode(),
    )


def seal_level(row: SigningCertificateRow) -> str:
    """The PAdES level that a seal with it reaches: `adapters/pdf_seal.py` decides it likewise."""
    long, stamped = bool(row.revocation_lists), bool(row.timestamp_url)
    return (
        f"B-{'L' if long else ''}{'T' if long or stamped else 'B'}{'A' if long and stamped else ''}"
    )
