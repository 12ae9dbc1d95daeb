"""Tokens for the API and for SCIM: made and revoked; `commands/caller.py` recognises them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commands.setting import effective_settings
from commands.work import Work
from domain.actor import OPERATOR
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.member import Role
from domain.member_errors import TokenLifeRefused
from domain.token import TokenKind
from domain.tombstone import Fate
from store.token import TokenRow, token_by_id
from store.workspace import WorkspaceRow

PREFIXES: Mapping[TokenKind, str] = {TokenKind.API: "gp_api_", TokenKind.SCIM: "gp_scim_"}
PURPOSES: Mapping[TokenKind, str] = {TokenKind.API: "token", TokenKind.SCIM: "scim-token"}
"""Each kind has digests of its own: looked for as another, a token is unknown."""


@dataclass(frozen=True, slots=True)
class CreateToken:
    """A token's name, whom to tell of outcomes, its life, what it may do.

    Without a `life` one for the API lasts until it is revoked, one for SCIM as long as `token.scim`
    says (SH-12).
    """

    name: str
    email: str | None = None
    life: timedelta | None = None
    role: Role = Role.ADMIN
    kind: TokenKind = TokenKind.API


async def create_token(
    work: Work, workspace: WorkspaceRow, wanted: CreateToken
) -> tuple[TokenRow, str]:
    """Makes a token; its text is returned here and never again.

    Raises `TokenLifeRefused` for one for SCIM that would last longer than `token.scim`.
    """
    text = PREFIXES[wanted.kind] + secrets.token_urlsafe(32)
    life = await _life(work, workspace, wanted)
    row = TokenRow(
        workspace_id=workspace.id,
        name=wanted.name,
        email=wanted.email or "",
        digest=work.keyring.digest(PURPOSES[wanted.kind], text),
        key_version=work.keyring.current,
        kind=wanted.kind,
        role=wanted.role if wanted.kind is TokenKind.API else "",
        created_at=work.at,
        expires_at=work.at + life if life else None,
    )
    work.db.add(row)
    expires_at = row.expires_at and row.expires_at.isoformat()
    what = {"kind": row.kind} if row.kind == TokenKind.SCIM else {"role": row.role}
    details = {"name": row.name, "expires_at": expires_at} | what
    work.audit_subject(AuditEvent.TOKEN_CREATED, workspace.id, f"token:{row.id}", OPERATOR, details)
    return row, text


async def _life(work: Work, workspace: WorkspaceRow, wanted: CreateToken) -> timedelta | None:
    if wanted.kind is TokenKind.API:
        return wanted.life
    most = (await effective_settings(work, workspace.id)).token_scim
    if wanted.life is not None and wanted.life > most:
        raise TokenLifeRefused(most.days)
    return wanted.life or most


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
