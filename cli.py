"""The `gatepass` command."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from adapters.delivery_report import ReportedAction, read_report
from adapters.embedded.demo import demo
from adapters.finding import Level
from adapters.linux import close_memory
from adapters.mail_setup import check_mail_setup
from command_line.audit import audit
from command_line.keyring import keyring
from command_line.member import member
from command_line.restored import restored
from command_line.surroundings import refusals_told, run, settings, work_at_leisure
from commands.mail import note_bounce
from commands.pack import load_pack
from commands.token import CreateToken, create_token, revoke_token
from commands.workspace import (
    CreateWorkspace,
    create_workspace,
    find_workspace,
    put_on_channel,
)
from domain.errors import WorkspaceExists
from domain.federation import Channel
from domain.mail import mail_id_of
from domain.member import Role
from domain.token import TokenKind
from store import migrate
from store.token import tokens_of

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Gatepass, at the command line.")
workspaces = typer.Typer(no_args_is_help=True, help="Companies using this installation.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens of a workspace, for the API and SCIM.")
mail = typer.Typer(no_args_is_help=True, help="Outgoing mail and delivery reports.")
app.add_typer(workspaces, name="workspace")
app.add_typer(tokens, name="token")
app.add_typer(member, name="member")
app.add_typer(keyring, name="keyring")
app.add_typer(audit, name="audit")
app.add_typer(mail, name="mail")
app.command()(restored)
app.command()(demo)

WorkspaceKey = Annotated[str, typer.Option("--workspace", "-w", help="The workspace's key.")]


@app.command("migrate")
def migrate_database() -> None:
    """Brings the database to this release's tables."""
    with refusals_told():
        migrate.upgrade(settings().database_url)
    typer.echo("The database is up to date.")


@app.command()
def load(
    folder: Annotated[Path, typer.Argument(help="A folder such as examples/procurement.")],
    workspace: WorkspaceKey,
    draft: Annotated[bool, typer.Option(help="Leave templates as drafts.")] = False,
) -> None:
    """Loads forms, documents, session templates and lifecycles from files."""
    run(_load(folder, workspace, publish=not draft))


async def _load(folder: Path, workspace: str, *, publish: bool) -> None:
    async with work_at_leisure() as work:
        row = await find_workspace(work, workspace)
        for line in await load_pack(work, row.id, folder, publish=publish):
            typer.echo(line)


@workspaces.command("create")
def workspace_create(
    key: str,
    name: Annotated[str, typer.Option(help="What parties read in mails and on pages.")],
    contact: Annotated[str, typer.Option(help="An address parties may write to.")] = "",
    if_missing: Annotated[bool, typer.Option(help="Leave an existing one as it is.")] = False,
) -> None:
    """Creates a workspace."""
    run(_workspace_create(CreateWorkspace(key, name, contact), if_missing=if_missing))


async def _workspace_create(wanted: CreateWorkspace, *, if_missing: bool) -> None:
    try:
        async with work_at_leisure() as work:
            await create_workspace(work, wanted)
    except WorkspaceExists:
        if not if_missing:
            raise
        typer.echo(f"The workspace {wanted.key!r} exists.")
        return
    typer.echo(f"Created the workspace {wanted.key!r}.")


@workspaces.command("channel")
def workspace_channel(
    key: str, channel: Annotated[Channel, typer.Argument(help="What is new comes to `controlled`.")]
) -> None:
    """Puts a workspace on a release channel."""
    run(_workspace_channel(key, channel))


async def _workspace_channel(key: str, channel: Channel) -> None:
    async with work_at_leisure() as work:
        await put_on_channel(work, key, channel)
    typer.echo(f"The workspace {key!r} is on the channel {channel.value!r}.")


@tokens.command("create")
def token_create(  # noqa: PLR0913 - each is an option
    workspace: WorkspaceKey,
    name: Annotated[str, typer.Option(help="Whose or what for; shown in the audit.")],
    email: Annotated[str | None, typer.Option(help="Told of what its sessions come to.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Good for so many days.")] = None,
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.ADMIN,
    print_only_token: Annotated[bool, typer.Option(help="For scripts.")] = False,
    *,
    scim: Annotated[
        bool, typer.Option("--scim", help="For a directory, at /scim/v2 and nowhere else.")
    ] = False,
) -> None:
    """Makes an API token, or one for SCIM; its text is shown once."""
    life = timedelta(days=days) if days else None
    kind = TokenKind.SCIM if scim else TokenKind.API
    wanted = CreateToken(name, email, life, role, kind)
    run(_token_create(workspace, wanted, quiet=print_only_token))


async def _token_create(workspace: str, wanted: CreateToken, *, quiet: bool) -> None:
    async with work_at_leisure() as work:
        row, text = await create_token(work, await find_workspace(work, workspace), wanted)
    typer.echo(text)
    if not quiet:
        until = f"until {row.expires_at:%Y-%m-%d %H:%M} UTC" if row.expires_at else "until revoked"
        typer.echo(f"Token {row.id}, good {until}. It is not shown again.", err=True)


@tokens.command("list")
def token_list(workspace: WorkspaceKey) -> None:
    """Lists tokens, without their texts."""
    run(_token_list(workspace))


async def _token_list(workspace: str) -> None:
    async with work_at_leisure() as work:
        rows = await tokens_of(work.db, (await find_workspace(work, workspace)).id)
        for row in rows:
            state = "good" if row.is_good(work.at) else "revoked" if row.revoked_at else "expired"
            until = f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "-"
            what = row.role or row.kind
            line = f"{row.id}  {state:8}{until:12}{row.created_at:%Y-%m-%d}  {what:11}{row.name}"
            typer.echo(line)
    if not rows:
        typer.echo("No tokens yet: gatepass token create --workspace … --name …", err=True)


@tokens.command("revoke")
def token_revoke(token_id: UUID, workspace: WorkspaceKey) -> None:
    """Ends a token at once."""
    run(_token_revoke(token_id, workspace))


async def _token_revoke(token_id: UUID, workspace: str) -> None:
    async with work_at_leisure() as work:
        row = await revoke_token(work, await find_workspace(work, workspace), token_id)
    typer.echo(f"Revoked the token {row.name!r}.")


@mail.command("test")
def mail_test(
    recipient: Annotated[str | None, typer.Option("--to", help="Send a test mail there.")] = None,
    selector: Annotated[str | None, typer.Option(help="DKIM selector to look up.")] = None,
) -> None:
    """Checks the SMTP set-up and says what is missing."""
    with refusals_told():
        findings = asyncio.run(check_mail_setup(settings(), recipient, dkim_selector=selector))
    for each in findings:
        typer.echo(f"{each.level:8}{each.what}")
        if each.to_do:
            typer.echo(f"        {each.to_do}")
    if any(each.level == Level.ERROR for each in findings):
        raise typer.Exit(1)


@mail.command("bounce")
def mail_bounce() -> None:
    """Takes a delivery report from standard input, as a mail server's pipe transport gives it."""
    report = read_report(sys.stdin.buffer.read())
    mail_id = mail_id_of(report.message_id or "") if report else None
    if report is None or mail_id is None or report.action is not ReportedAction.FAILED:
        typer.echo("Not a report of a failed mail of ours; nothing to do.", err=True)
        return
    run(_mail_bounce(mail_id, report.diagnostic))


async def _mail_bounce(mail_id: UUID, reason: str) -> None:
    async with work_at_leisure() as work:
        known = await note_bounce(work, mail_id, reason)
    typer.echo("Noted." if known else "That mail is not one of ours.")


def main() -> None:
    """The entry point of the installed command."""
    close_memory()
    app()


if __name__ == "__main__":
    main()
