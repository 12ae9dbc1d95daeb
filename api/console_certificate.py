"""The signing certificate, for administrators: made, imported, its root to give away (PS-43)."""

from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from adapters.signing_certificate import SigningCertificate
from adapters.signing_certificate_import import LARGEST
from api.browser import refuse_cross_site, see_other, settings_of
from api.console_pages import member_page, office_of
from api.context import Begin
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall, console_call, quiet_call
from api.receipt import attached
from api.shapes.signing_certificate import (
    LONGEST_URL,
    CertificateShape,
    timestamp_address,
)
from api.upload_post import parts_of
from commands.signing_certificate import (
    import_certificate,
    keep_certificate,
    make_certificate,
)
from domain.agreement_errors import CertificateRefused
from domain.errors import NotFound
from domain.permission import Permission
from store.signing_certificate import current_certificate
from store.workspace import WorkspaceRow

NAME = "Signing certificate"
PATH = "/settings/signing-certificate"
ROUND_A_FILE = 64 * 1024
PEM = "application/x-pem-file"
IMPORT, ADDRESS = "import", "timestamp_url"

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("", name=NAME)
async def get_certificate(call: ConsoleCall) -> HTMLResponse:
    """What seals now, and how to make or import another."""
    return await _page(call, done=call.request.query_params.get("done", ""))


async def _page(
    call: MemberCall,
    *,
    done: str = "",
    fault: str = "",
    status: int = 200,
    address: str | None = None,
) -> HTMLResponse:
    """`address` is the one that was typed; where none was, time stamps go on coming from there."""
    call.needs(Permission.SETTINGS_EDIT)
    row = await current_certificate(call.work.db, call.workspace_id)
    if address is None:
        address = row.timestamp_url if row else ""
    return member_page(
        call,
        "certificate.html",
        status,
        certificate=CertificateShape.of(row) if row else None,
        is_over=row is not None and row.not_after <= call.work.at,
        path=PATH,
        done=done,
        fault=fault,
        address=address,
        longest=LONGEST_URL,
    )


@router.get("/root.pem", name=NAME)
async def get_root(call: ConsoleCall) -> Response:
    """What anybody who checks a seal must trust."""
    call.needs(Permission.SETTINGS_EDIT)
    row = await current_certificate(call.work.db, call.workspace_id)
    if row is None:
        raise NotFound("signing certificate")
    return attached("root.pem", PEM, CertificateShape.of(row).root.encode())


@dataclass(slots=True)
class _Typed:
    step: str = ""
    address: str = ""
    password: str = ""
    file: bytes = b""


@router.post("", name=NAME)
async def post_certificate(request: Request, workspace: str, begin: Begin) -> Response:
    """Makes one, or imports what was brought; keys are made outside of any transaction."""
    async with console_call(request, workspace, begin) as call:
        call.needs(Permission.SETTINGS_EDIT)
    typed = await _read(request)
    try:
        address = timestamp_address(typed.address[: LONGEST_URL + 1])
        certificate = await _certificate(begin.clock(), call.workspace, typed)
    except (ValueError, CertificateRefused) as refused:
        return await _refused(request, workspace, begin, typed, refused)
    async with quiet_call(request, workspace, begin) as call:
        call.needs(Permission.SETTINGS_EDIT)
        await keep_certificate(call.work, call.workspace_id, certificate, call.actor, address)
    done = "imported" if typed.step == IMPORT else "made"
    return see_other(f"{office_of(call.workspace).base}{PATH}?done={done}")


async def _read(request: Request) -> _Typed:
    typed, stall = _Typed(), settings_of(request).upload_stall
    request.state.largest_file = LARGEST
    async with aclosing(parts_of(request, most_bytes=LARGEST + ROUND_A_FILE, stall=stall)) as parts:
        async for part in parts:
            if part.is_file:
                typed.file = b"".join([each async for each in part.chunks])
            elif part.name in {"step", "address", "password"}:
                setattr(typed, part.name, (await part.text()).strip("\r\n"))
    if typed.step not in {IMPORT, "make"}:
        raise HTTPException(400, "No step.")
    return typed


async def _certificate(at: datetime, workspace: WorkspaceRow, typed: _Typed) -> SigningCertificate:
    if typed.step == IMPORT:
        return await import_certificate(workspace.id, typed.file, typed.password, at)
    return await make_certificate(workspace.name, at)


async def _refused(
    request: Request,
    workspace: str,
    begin: Begin,
    typed: _Typed,
    refused: ValueError | CertificateRefused,
) -> HTMLResponse:
    is_file = isinstance(refused, CertificateRefused)
    fault = refused.reason if isinstance(refused, CertificateRefused) else ADDRESS
    status = status_of(refused) if is_file else status_of(CertificateRefused("", ""))
    async with quiet_call(request, workspace, begin) as call:
        return await _page(call, fault=fault, status=status, address=typed.address)
