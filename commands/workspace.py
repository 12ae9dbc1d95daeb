"""Creates workspaces, and puts them on release channels."""

from dataclasses import dataclass

from adapters.mail_template import newest_versions
from commands.work import Work
from domain.actor import OPERATOR
from domain.audit import AuditEvent
from domain.definition import KEY
from domain.errors import DefinitionFaulty, NotFound, WorkspaceExists
from domain.fault import Fault
from domain.federation import Channel
from domain.party import LONGEST_NAME, is_address
from store.workspace import WorkspaceRow, workspace_by_key


@dataclass(frozen=True, slots=True)
class CreateWorkspace:
    """A company's key and name, and the address parties may write to."""

    key: str
    name: str
    contact: str = ""


async def create_workspace(work: Work, wanted: CreateWorkspace) -> WorkspaceRow:
    """Creates a workspace; raises `WorkspaceExists` or `DefinitionFaulty`."""
    faults = _faults_of(wanted)
    if faults:
        raise DefinitionFaulty("workspace", faults)
    if await workspace_by_key(work.db, wanted.key):
        raise WorkspaceExists(wanted.key)
    row = WorkspaceRow(
        key=wanted.key,
        name=wanted.name,
        contact=wanted.contact,
        created_at=work.at,
        mail_versions=newest_versions(),
    )
    work.db.add(row)
    await work.db.flush()
    work.db.add(work.vault.new_workspace_key(row.id, 1))
    await work.db.flush()
    work.audit_subject(
        AuditEvent.WORKSPACE_CREATED, row.id, f"workspace:{row.key}", OPERATOR, {"name": row.name}
    )
    return row


def _faults_of(wanted: CreateWorkspace) -> tuple[Fault, ...]:
    found = []
    if not KEY.fullmatch(wanted.key):
        found.append(Fault("/key", "must be lower-case letters, digits and dashes, 63 at most"))
    if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        found.append(Fault("/name", f"must have 1 to {LONGEST_NAME} characters"))
    if wanted.contact and not is_address(wanted.contact):
        found.append(Fault("/contact", "must be one mail address, such as help@example.com"))
    return tuple(found)


async def find_workspace(work: Work, key: str) -> WorkspaceRow:
    """The workspace with this key; raises `NotFound`."""
    row = await workspace_by_key(work.db, key)
    if row is None:
        raise NotFound("workspace")
    return row


async def put_on_channel(work: Work, key: str, channel: Channel) -> WorkspaceRow:
    """Puts a workspace on a release channel, from its next request on; raises `NotFound`."""
    row = await find_workspace(work, key)
    if row.channel != channel:
        before, row.channel = row.channel, channel
        details = {"before": before, "after": channel.value}
        event = AuditEvent.WORKSPACE_CHANNEL_CHANGED
        work.audit_subject(event, row.id, f"workspace:{row.key}", OPERATOR, details)
    return row
