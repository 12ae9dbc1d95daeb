"""Every table, imported once so that the metadata is whole."""

from sqlmodel import SQLModel

from store import (
    audit,
    audit_checkpoint,
    audit_tree,
    binding,
    code,
    data_key,
    definition,
    idempotency,
    installation,
    installation_key,
    intent,
    mail,
    party,
    public_session,
    token,
    tombstone,
    upload,
    visit,
    workspace,
    workspace_key,
)

METADATA = SQLModel.metadata
MODULES = (
    audit,
    audit_checkpoint,
    audit_tree,
    binding,
    code,
    data_key,
    definition,
    idempotency,
    installation,
    installation_key,
    intent,
    mail,
    party,
    public_session,
    token,
    tombstone,
    upload,
    visit,
    workspace,
    workspace_key,
)
