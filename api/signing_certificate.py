"""`/api/v1/signing-certificate`: what the workspace seals signed documents with (PS-43)."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from adapters.signing_certificate import SigningCertificate
from api.call import ApiCall, ApiCaller, Call, acting
from api.context import Begin
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.shapes.signing_certificate import CertificateShape, NewCertificate
from commands.signing_certificate import (
    import_certificate,
    keep_certificate,
    make_certificate,
)
from commands.work import Transactions
from domain.agreement_errors import CertificateRefused
from domain.errors import IdempotencyKeyReused, NotFound
from store.signing_certificate import current_certificate
from store.workspace import workspace_by_id

router = APIRouter(prefix="/api/v1/signing-certificate", tags=["settings"])


@router.get("", responses=refusals(NotFound))
async def get_certificate(call: ApiCall) -> CertificateShape:
    """The certificate that seals, and the root by which anybody checks; never its key."""
    row = await current_certificate(call.work.db, call.workspace_id)
    if row is None:
        raise NotFound("signing certificate")
    return CertificateShape.of(row)


@router.post(
    "",
    status_code=201,
    response_model=CertificateShape,
    responses=refusals(CertificateRefused, IdempotencyKeyReused),
)
async def post_certificate(
    request: Request,
    caller: ApiCaller,
    begin: Begin,
    wanted: NewCertificate,
    _key: IdempotencyKey = None,
) -> Response:
    """Makes a certificate, or imports one; what was sealed before stays as it is."""
    certificate = await _certificate(begin, caller.workspace_id, wanted)
    async with acting(request, begin) as call:
        return await once(call, 201, partial(_keep, call, certificate, wanted.timestamp_url))


async def _certificate(
    begin: Transactions, workspace_id: UUID, wanted: NewCertificate
) -> SigningCertificate:
    at = begin.clock()
    if wanted.pkcs12 is not None:
        return await import_certificate(workspace_id, wanted.pkcs12, wanted.password, at)
    async with begin.work() as work:
        workspace = await workspace_by_id(work.db, workspace_id)
    return await make_certificate(workspace.name, at)


async def _keep(call: Call, certificate: SigningCertificate, url: str) -> CertificateShape:
    row = await keep_certificate(call.work, call.workspace_id, certificate, call.actor, url)
    await call.work.db.flush()
    return CertificateShape.of(row)
