"""`/api/v1/audit`: what happened in the workspace, and what proves it (PS-25, N10)."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.checkpoint import fingerprint
from api.call import ApiCall
from api.context import Begin
from api.errors import refusals
from api.paging import Pages
from api.shapes.audit import AuditKey, AuditShape, ConsistencyProof
from api.shapes.field import AnyId, Page
from commands.audit_export import LogExport, export_log
from commands.audit_tree import verifier_key
from domain.audit import AuditEvent
from domain.audit_tree import consistency_places, consistency_proof
from domain.errors import CursorInvalid, NotFound
from store.audit import AuditFilter, AuditRow, audit_page
from store.audit_checkpoint import newest_checkpoint, sealing_sizes
from store.audit_tree import nodes_at, tree_size

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

CHUNK = 65_536
LARGEST = 2**53 - 1
NDJSON = "application/x-ndjson"
Size = Annotated[int, Query(ge=0, le=LARGEST)]


@router.get("", responses=refusals(CursorInvalid))
async def list_audit(
    call: ApiCall,
    paging: Pages,
    event: AuditEvent | None = None,
    session: AnyId | None = None,
    party: AnyId | None = None,
) -> Page[AuditShape]:
    """The workspace's audit log, newest first."""
    wanted = AuditFilter(event, session, party)
    rows, following = await audit_page(
        call.work.db, call.workspace_id, wanted, paging.cursor, paging.limit
    )
    return Page(items=await audit_shapes(call.work.db, rows), next=following)


async def audit_shapes(db: AsyncSession, rows: Sequence[AuditRow]) -> list[AuditShape]:
    """Events with the checkpoint that seals each, in one more statement."""
    sealed_by = await sealing_sizes(db, rows)
    return [AuditShape.of(each, sealed_by.get(each.id)) for each in rows]


@router.get(
    "/checkpoint",
    response_class=PlainTextResponse,
    responses=refusals(NotFound),
)
async def get_checkpoint(call: ApiCall) -> str:
    """The newest signed head of the log (C2SP tlog-checkpoint); keep it to catch us out later."""
    head = await newest_checkpoint(call.work.db, call.workspace_id)
    if head is None:
        raise NotFound("checkpoint")
    return head.note


@router.get("/key", responses=refusals())
async def get_key(call: ApiCall) -> AuditKey:
    """The public key that checks the log's checkpoints; publish it where nobody can swap it."""
    key = await verifier_key(call.work, call.workspace_id)
    return AuditKey(key=key, sha256=fingerprint(key))


@router.get("/proofs/consistency", responses=refusals(NotFound))
async def get_consistency(call: ApiCall, first: Size, second: Size) -> ConsistencyProof:
    """The proof that the log of `first` events is the beginning of that of `second`."""
    if not first <= second <= await tree_size(call.work.db, call.workspace_id):
        raise NotFound("size of the log")
    node = await nodes_at(call.work.db, call.workspace_id, consistency_places(first, second))
    proof = consistency_proof(first, second, node)
    return ConsistencyProof(first=first, second=second, proof=[each.hex() for each in proof])


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {}}}, **refusals()},
)
async def export(call: ApiCall, begin: Begin, *, details: bool = True) -> StreamingResponse:
    """The whole log up to now, as `gatepass audit verify` checks it; that it was taken is its end.

    Without details it holds no personal data and verifies as well.
    """
    wanted = LogExport(call.workspace_id, call.actor, details=details)
    name = {"content-disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(_batched(export_log(begin, wanted)), media_type=NDJSON, headers=name)


async def _batched(lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """Lines in pieces that are worth sending."""
    waiting = bytearray()
    async for each in lines:
        waiting += each.encode()
        if len(waiting) >= CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
