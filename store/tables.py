"""Every table, imported once so that the metadata is whole."""

from sqlmodel import SQLModel

from store import (
    audit,
    code,
    definition,
    idempotency,
    intent,
    mail,
    party,
    public_session,
    token,
    workspace,
)

METADATA = SQLModel.metadata
MODULES = (
    audit,
    code,
    definition,
    idempotency,
    intent,
    mail,
    party,
    public_session,
    token,
    workspace,
)
