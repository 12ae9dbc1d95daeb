"""API tokens: made and revoked; `commands/caller.py` recognises them."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commands.work import Work
from domain.actor import OPERATOR
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.member import Role
from domain.tombstone import Fate
from store.token import TokenRow, token_by_id
from store.workspace import WorkspaceRow

PREFIX = "gp_api_"
PURPOSE = "token"


@dataclass(frozen=True, slots=True)
class CreateToken:
    """A token's name, whom to tell of outcomes, its life (None: until revoked), what it may do."""

    name: str
    email: str | None = None
    life: timedelta | None = None
    role: Role = Role.ADMIN


async def create_token(
    work: Work, workspace: WorkspaceRow, wanted: CreateToken
) -> tuple[TokenRow, str]:
    """Makes a token; its text is returned here and never again."""
    text = PREFIX + secrets.token_urlsafe(32)
    row = TokenRow(
        workspace_id=workspace.id,
        name=wanted.name,
        email=wanted.email or "",
        digest=work.keyring.digest(PURPOSE, text),
        key_version=work.keyring.current,
        role=wanted.role,
        created_at=work.at,
        expires_at=work.at + wanted.life if wanted.life else None,
    )
    work.db.add(row)
    expires_at = row.expires_at and row.expires_at.isoformat()
    details = {"name": row.name, "role": row.role, "expires_at": expires_at}
    work.audit_subject(AuditEvent.TOKEN_CREATED, workspace.id, f"token:{row.id}", OPERATOR, details)
    return row, text


async def revoke_token(work: Work, workspace: WorkspaceRow, token_id: UUID) -> TokenRow:
    """Ends a token at once; a second time changes nothing. Raises `NotFound`."""
    row = await token_by_id(work.db, workspace.id, token_id)
    if row is None:
        raise NotFound("token")
    if row.revoked_at is None:
        row.revoked_at = work.at
        work.lay_tombstone(Fate.TOKEN_REVOKED, row.id)
        work.audit_subject(
            AuditEvent.TOKEN_REVOKED, workspace.id, f"token:{row.id}", OPERATOR, {"name": row.name}
        )
    return row
