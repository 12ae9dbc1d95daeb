"""`/api/v1/mail/bounces`: takes the delivery reports that mail servers send back (PS-37)."""

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Response

from adapters.delivery_report import DeliveryReport, read_report
from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.metrics import Metrics
from commands.mail import note_bounce
from domain.errors import IdempotencyKeyReused
from domain.mail import mail_id_of

router = APIRouter(prefix="/api/v1/mail", tags=["mail"])

REPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The report as it was received (RFC 3464)",
        "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/bounces",
    status_code=202,
    response_class=Response,
    openapi_extra=REPORT,
    responses=refusals(IdempotencyKeyReused),
)
async def post_bounce(call: ApiCall, _key: IdempotencyKey = None) -> Response:
    """Marks the mail that a report is about as bounced.

    Reports of other mails, and mails that are no reports, are taken and counted: whoever forwards a
    mailbox here needs no filter.
    """
    return await once(call, 202, partial(_note, call))


async def _note(call: Call) -> None:
    report = await asyncio.to_thread(read_report, await call.request.body())
    is_ours = report is not None and report.is_bounce and await _bounced(call, report)
    metrics: Metrics = call.request.app.state.metrics
    metrics.reports.labels("noted" if is_ours else "not_ours").inc()


async def _bounced(call: Call, report: DeliveryReport) -> bool:
    mail = mail_id_of(report.message_id) if report.message_id else None
    if mail is None:
        return False
    reason = f"{report.status or ''} {report.diagnostic}".strip()
    return await note_bounce(call.work, mail, reason, call.workspace_id)
