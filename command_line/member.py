"""`gatepass member`: invites members, the first administrator too, and ends what must end."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from command_line.surroundings import run, work_at_leisure
from commands.member import (
    address_digest,
    disable_member,
    enable_member,
    find_member,
    invite_member,
    unlock_member,
)
from commands.member_link import address_of_link
from commands.member_session import SessionTarget, kill_session
from commands.second_factor import reset_factor
from commands.setting import effective_settings
from commands.sign_in import lock_policy
from commands.work import Work
from commands.workspace import find_workspace
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from domain.member import MemberFields, Role
from domain.sign_in import LockPolicy
from store.member import MemberRow, member_by_address, members_by_id, members_page
from store.member_session import sessions_shown
from store.workspace import WorkspaceRow

AT_ONCE = 200

member = typer.Typer(no_args_is_help=True, help="Members of a workspace, and their sessions.")
WorkspaceKey = Annotated[str, typer.Option("--workspace", "-w", help="The workspace's key.")]
Who = Annotated[str, typer.Argument(help="An address, or an id from `gatepass member list`.")]
Verb = Callable[[Work, UUID, UUID, Actor], Awaitable[MemberRow]]


@member.command("invite")
def invite(
    email: str,
    workspace: WorkspaceKey,
    name: Annotated[str, typer.Option(help="What others read.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.ADMIN,
    locale: Annotated[str, typer.Option(help="Language of pages and mails.")] = "en",
    *,
    print_only_link: Annotated[bool, typer.Option(help="For scripts.")] = False,
) -> None:
    """Invites somebody, and shows the link that makes the account; again for a new link."""
    run(_invite(workspace, MemberFields(email, name, role, locale), quiet=print_only_link))


async def _invite(workspace: str, fields: MemberFields, *, quiet: bool) -> None:
    async with work_at_leisure() as work:
        row = await find_workspace(work, workspace)
        invited = await invite_member(work, row.id, fields, OPERATOR)
        link = address_of_link(work, row.key, invited.link)
    typer.echo(link)
    if not quiet:
        until = _moment(invited.link.expires_at)
        typer.echo(f"Good once, until {until} UTC, for {fields.email} alone.", err=True)


@member.command("list")
def list_members(workspace: WorkspaceKey) -> None:
    """Lists members, with locks that wrong passwords made."""
    run(_list(workspace))


async def _list(workspace: str) -> None:
    async with work_at_leisure() as work:
        row = await find_workspace(work, workspace)
        policy = lock_policy(await effective_settings(work, row.id))
        found, cursor = await members_page(work.db, row.id, None, AT_ONCE)
        rows = list(found)
        while cursor:
            found, cursor = await members_page(work.db, row.id, cursor, AT_ONCE)
            rows += found
        for each in rows:
            typer.echo(_line(each, policy, work.at))
    if not rows:
        typer.echo("No members yet: gatepass member invite ADDRESS -w … --name …", err=True)


def _line(row: MemberRow, policy: LockPolicy, at: datetime) -> str:
    until = row.attempts.locked_until(policy)
    is_locked = until is not None and row.attempts.is_locked(at, policy)
    lock = f"  locked until {_moment(until)}" if until and is_locked else ""
    return f"{row.id}  {row.state:10}{row.role:11}{row.email}  {row.name}{lock}"


@member.command("disable")
def disable(who: Who, workspace: WorkspaceKey) -> None:
    """Ends every session and token of a member at once, and lets none begin."""
    run(_act(who, workspace, disable_member, "Disabled"))


@member.command("enable")
def enable(who: Who, workspace: WorkspaceKey) -> None:
    """Lets a disabled member sign in again."""
    run(_act(who, workspace, enable_member, "Enabled"))


@member.command("unlock")
def unlock(who: Who, workspace: WorkspaceKey) -> None:
    """Clears the lock after too many wrong passwords."""
    run(_act(who, workspace, unlock_member, "Unlocked"))


@member.command("reset-second-factor")
def reset_second_factor(who: Who, workspace: WorkspaceKey) -> None:
    """Takes away the second factor of somebody who has lost it; every session ends."""
    run(_act(who, workspace, reset_factor, "Reset the second factor of"))


async def _act(who: str, workspace: str, verb: Verb, done: str) -> None:
    async with work_at_leisure() as work:
        row = await find_workspace(work, workspace)
        found = await _member(work, row, who)
        await verb(work, row.id, found.id, OPERATOR)
        typer.echo(f"{done} {found.email}.")


async def _member(work: Work, workspace: WorkspaceRow, who: str) -> MemberRow:
    """The member with this address or id; raises `NotFound`."""
    if "@" in who:
        digest = address_digest(work, who)
        found = await member_by_address(work.db, workspace.id, digest)
        if found is None:
            raise NotFound("member")
        return found
    try:
        return await find_member(work, workspace.id, UUID(who))
    except ValueError:
        raise NotFound("member") from None


@member.command("sessions")
def list_sessions(
    workspace: WorkspaceKey,
    who: Annotated[str | None, typer.Option("--member", help="Of this member alone.")] = None,
) -> None:
    """Lists where members are signed in, and what was killed a short while ago."""
    run(_sessions(workspace, who))


async def _sessions(workspace: str, who: str | None) -> None:
    async with work_at_leisure() as work:
        row = await find_workspace(work, workspace)
        chosen = (await _member(work, row, who)).id if who else None
        rows = await sessions_shown(work.db, row.id, work.at, chosen)
        known = await members_by_id(work.db, {each.member_id for each in rows})
        for each in rows:
            until = each.end_reason or f"until {_moment(each.value.ends_at)}"
            whose = known[each.member_id].email
            typer.echo(f"{each.id}  {until:24}{each.mode:10}{whose}  {each.browser}")
    if not rows:
        typer.echo("Nobody is signed in.", err=True)


@member.command("kill")
def kill(session_id: UUID, workspace: WorkspaceKey) -> None:
    """Ends a session at once, with its tokens."""
    run(_kill(session_id, workspace))


async def _kill(session_id: UUID, workspace: str) -> None:
    async with work_at_leisure() as work:
        row = await find_workspace(work, workspace)
        await kill_session(work, SessionTarget(row.id, session_id, OPERATOR))
    typer.echo("The session is over.")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
