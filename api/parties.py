"""`/api/v1/parties`: parties and their moves along a lifecycle (PS-33)."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.paging import Pages
from api.shapes.field import Page, Text, storable
from api.shapes.party import (
    NewParty,
    PartyChanges,
    PartyDetail,
    PartyMoved,
    PartyShape,
    WantedTransition,
)
from commands.party import (
    Move,
    change_party,
    create_party,
    find_party,
    pass_transition,
    unlock_verification,
)
from domain.errors import (
    CursorInvalid,
    Erased,
    IdempotencyKeyReused,
    NotFound,
    PartyInvalid,
    ScopeRefused,
    TemplateNotIssuable,
    TransitionRefused,
)
from store.columns import new_id
from store.party import PartyFilter, parties_page, passages_of

router = APIRouter(prefix="/api/v1/parties", tags=["parties"])

Search = Annotated[str, Query(max_length=200), AfterValidator(storable)]


@router.post(
    "",
    status_code=201,
    response_model=PartyMoved,
    responses=refusals(
        PartyInvalid, NotFound, Erased, ScopeRefused, TemplateNotIssuable, IdempotencyKeyReused
    ),
)
async def post_party(call: ApiCall, wanted: NewParty, _key: IdempotencyKey = None) -> Response:
    """Creates a party in its lifecycle's first state and issues what that state issues."""
    return await once(call, 201, partial(_create, call, wanted))


async def _create(call: Call, wanted: NewParty) -> PartyMoved:
    moved = await create_party(call.work, call.workspace_id, wanted.fields(), call.actor)
    return PartyMoved.issuing(moved.party, moved.issued)


@router.get("", responses=refusals(CursorInvalid))
async def list_parties(
    call: ApiCall,
    paging: Pages,
    kind: Text | None = None,
    state: Text | None = None,
    q: Search | None = None,
    test: bool | None = None,
) -> Page[PartyShape]:
    """The workspace's parties, newest first; `q` is looked for in name and address."""
    wanted = PartyFilter(kind, state, q, test)
    rows, following = await parties_page(
        call.work.db, call.workspace_id, wanted, paging.cursor, paging.limit
    )
    return Page(items=[PartyShape.of(each) for each in rows], next=following)


@router.get("/{party_id}", responses=refusals(NotFound))
async def get_party(call: ApiCall, party_id: UUID) -> PartyDetail:
    """One party with every move it made."""
    row = await find_party(call.work, call.workspace_id, party_id)
    return PartyDetail.with_passages(row, await passages_of(call.work.db, row.id))


@router.patch("/{party_id}", responses=refusals(NotFound, Erased, PartyInvalid))
async def patch_party(call: ApiCall, party_id: UUID, changes: PartyChanges) -> PartyShape:
    """Replaces some members; another address renews every open link of the party."""
    stated = changes.stated()
    return PartyShape.of(
        await change_party(call.work, call.workspace_id, party_id, stated, call.actor)
    )


@router.post(
    "/{party_id}/transitions",
    response_model=PartyMoved,
    responses=refusals(
        NotFound, Erased, TransitionRefused, ScopeRefused, TemplateNotIssuable, IdempotencyKeyReused
    ),
)
async def post_transition(
    call: ApiCall, party_id: UUID, wanted: WantedTransition, _key: IdempotencyKey = None
) -> Response:
    """Moves the party and issues what the move issues."""
    return await once(call, 200, partial(_move, call, party_id, wanted))


async def _move(call: Call, party_id: UUID, wanted: WantedTransition) -> PartyMoved:
    move = Move(wanted.transition, f"manual:{new_id()}", call.actor)
    moved = await pass_transition(call.work, call.workspace_id, party_id, move)
    return PartyMoved.issuing(moved.party, moved.issued)


@router.post(
    "/{party_id}/unlock",
    response_model=PartyShape,
    responses=refusals(NotFound, Erased, IdempotencyKeyReused),
)
async def post_unlock(call: ApiCall, party_id: UUID, _key: IdempotencyKey = None) -> Response:
    """Clears the lock after too many wrong codes (SX-16)."""
    return await once(call, 200, partial(_unlock, call, party_id))


async def _unlock(call: Call, party_id: UUID) -> PartyShape:
    row = await unlock_verification(call.work, call.workspace_id, party_id, call.actor)
    return PartyShape.of(row)
