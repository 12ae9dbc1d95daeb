"""The identity provider of a workspace: set, removed, and whether it may be used (EE-20, EE-21)."""

from dataclasses import dataclass
from uuid import UUID

from adapters.openid import is_issuer
from commands.work import Work
from domain.access import denial
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.fault import Fault
from domain.federation import Channel, FederationFields, faults_of, takes_part
from domain.member_errors import ChannelDenied, FederationInvalid
from store.federation import FederationRow, federation_of, forget_subjects
from store.workspace import WorkspaceRow, workspace_by_id

PAGE = "Company sign-in"
"""The page that a workspace on another channel is denied."""


@dataclass(frozen=True, slots=True)
class SetFederation:
    """What a workspace wants its provider to be."""

    workspace_id: UUID
    fields: FederationFields
    actor: Actor


def is_on_channel(work: Work, workspace: WorkspaceRow) -> bool:
    """Whether the workspace takes part in federated sign-in at all (EE-20)."""
    return takes_part(Channel(workspace.channel), Channel(work.settings.login_federated_channel))


def refuse_other_channels(work: Work, workspace: WorkspaceRow) -> None:
    """Raises `ChannelDenied` unless the workspace takes part."""
    if not is_on_channel(work, workspace):
        raise ChannelDenied(denial(PAGE))


async def usable_federation(work: Work, workspace: WorkspaceRow) -> FederationRow | None:
    """The provider that members of a workspace may use now."""
    if not is_on_channel(work, workspace):
        return None
    return await federation_of(work.db, workspace.id)


async def find_federation(work: Work, workspace_id: UUID) -> FederationRow:
    """The provider of a workspace; raises `NotFound`."""
    row = await federation_of(work.db, workspace_id)
    if row is None:
        raise NotFound("sign-in mode")
    return row


async def set_federation(work: Work, wanted: SetFederation) -> FederationRow:
    """Sets the provider; another one knows nobody yet. Its secret is told to nobody again.

    Raises `ChannelDenied` or `FederationInvalid`.
    """
    # Locked, so that two who set it at once do it one after the other.
    workspace = await workspace_by_id(work.db, wanted.workspace_id, lock=True)
    refuse_other_channels(work, workspace)
    _refuse_faulty(work, wanted.fields)
    row = await federation_of(work.db, workspace.id)
    if row is None:
        row = FederationRow(workspace_id=workspace.id, issuer="", client_id="", match="")
        work.db.add(row)
    elif row.issuer != wanted.fields.issuer:
        await forget_subjects(work.db, workspace.id)
    _adopt(row, wanted.fields)
    row.changed_at = work.at
    _audit(work, AuditEvent.FEDERATION_CHANGED, row, wanted.actor)
    await work.db.flush()
    return row


def _refuse_faulty(work: Work, fields: FederationFields) -> None:
    faults = list(faults_of(fields))
    if not is_issuer(fields.issuer, work.settings):
        fault = "must be an https address of no private network, without query or fragment"
        faults.append(Fault("/issuer", fault))
    if faults:
        raise FederationInvalid(tuple(faults))


def _adopt(row: FederationRow, fields: FederationFields) -> None:
    row.issuer, row.client_id = fields.issuer, fields.client_id
    row.client_secret = fields.client_secret
    row.domains, row.match = list(fields.domains), fields.match


async def remove_federation(work: Work, workspace_id: UUID, actor: Actor) -> None:
    """Nobody signs in by the provider any more, and it knows nobody; raises `NotFound`."""
    row = await find_federation(work, workspace_id)
    await forget_subjects(work.db, workspace_id)
    _audit(work, AuditEvent.FEDERATION_REMOVED, row, actor)
    await work.db.delete(row)


def _audit(work: Work, event: AuditEvent, row: FederationRow, actor: Actor) -> None:
    details = {"issuer": row.issuer, "client_id": row.client_id, "match": str(row.match)}
    details["domains"] = ", ".join(row.domains)
    work.audit_subject(event, row.workspace_id, f"federation:{row.id}", actor, details)
