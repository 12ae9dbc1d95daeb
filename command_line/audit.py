"""`gatepass audit`: takes the log out, checks it, and shows what auditors check it with (N10)."""

import os
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from adapters import audit_verify
from adapters.audit_verify import Broken, verify_file
from adapters.checkpoint import fingerprint
from command_line.progress import shown
from command_line.surroundings import fail, run, surroundings
from commands.audit_export import LogExport, export_log
from commands.audit_tree import verifier_key
from commands.progress import Progress
from commands.work import Transactions, Work
from commands.workspace import find_workspace
from domain.actor import OPERATOR
from store.workspace import WorkspaceRow, workspaces

STANDARD = "-"
FLAGS, OWNER_ONLY = os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600
MOST_PLACES = 10

audit = typer.Typer(no_args_is_help=True, help="The audit log: export it, check it.")
WorkspaceKey = Annotated[
    str | None,
    typer.Option("--workspace", "-w", help="The workspace's key; not needed where there is one."),
]


@audit.command("export")
def export(
    file: Annotated[str, typer.Argument(help="Where to; - is the standard output.")],
    workspace: WorkspaceKey = None,
    details: Annotated[
        bool, typer.Option(help="With what each event tells, personal data among it.")
    ] = True,
) -> None:
    """Writes the whole log up to now, with every signed checkpoint, for an auditor to check."""
    with _output(file) as out:
        run(_export(out, workspace, details=details))


@contextmanager
def _output(file: str) -> Iterator[BinaryIO]:
    """The file to write, there only when it is whole and for its owner alone."""
    if file == STANDARD:
        yield sys.stdout.buffer
        return
    part = Path(f"{file}.part")
    try:
        with os.fdopen(os.open(part, FLAGS, OWNER_ONLY), "wb") as out:
            yield out
        part.replace(file)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}.")
    finally:
        part.unlink(missing_ok=True)


async def _export(out: BinaryIO, workspace: str | None, *, details: bool) -> None:
    async with surroundings() as found:
        async with found.begin.work() as work:
            row = await _chosen(work, workspace)
        wanted = LogExport(row.id, OPERATOR, details=details)
        await shown(_written(out, found.begin, wanted))
    for line in _told_of(wanted):
        typer.echo(line, err=True)


def _told_of(wanted: LogExport) -> Iterator[str]:
    yield f"{wanted.size} events, signed. Check them: gatepass audit verify FILE"
    if wanted.is_broken:
        yield (
            "The database does not hold what was signed last: somebody took events out of it. "
            "Nothing is numbered or signed until they are back; see the runbook."
        )
    if wanted.unreadable:
        places = ", ".join(map(str, wanted.unreadable[:MOST_PLACES]))
        yield (
            f"{len(wanted.unreadable)} events have details that cannot be deciphered though nobody "
            f"erased them: somebody changed their rows. The first: {places}."
        )


async def _chosen(work: Work, key: str | None) -> WorkspaceRow:
    """The workspace with this key; without a key the only one there is."""
    if key is not None:
        return await find_workspace(work, key)
    found = await workspaces(work.db)
    if not found:
        fail("There is no workspace yet: gatepass workspace create KEY --name …")
    if len(found) > 1:
        keys = ", ".join(each.key for each in found)
        fail(f"There are several workspaces; say which with -w: {keys}.")
    return found[0]


async def _written(
    out: BinaryIO, begin: Transactions, wanted: LogExport
) -> AsyncGenerator[Progress]:
    done = 0
    async for line in export_log(begin, wanted):
        out.write(line.encode())
        if wanted.done != done:
            done = wanted.done
            yield Progress("Events exported", done, wanted.size)
    out.flush()


@audit.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="An exported log, or a party's receipt.json.")],
    key: Annotated[
        str | None, typer.Option(help="The published public key: `gatepass audit key`.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint, receipt or export that was kept outside; repeatable."),
    ] = None,
) -> None:
    """Checks a log or a receipt offline; ends with status 1 and the first bad index if it fails.

    Needs neither database nor settings nor keys.
    """
    try:
        typer.echo(verify_file(file, key, checkpoint or []).text())
    except (Broken, OSError) as error:
        fail(str(error))


@audit.command("key")
def show_key(workspace: WorkspaceKey = None) -> None:
    """Shows the public key of a workspace's log: publish it, so that nobody need take our word."""
    run(_show_key(workspace))


async def _show_key(workspace: str | None) -> None:
    async with surroundings() as found, found.begin.work() as work:
        key = await verifier_key(work, (await _chosen(work, workspace)).id)
    typer.echo(key)
    typer.echo(f"SHA-256 of the public key: {fingerprint(key)}", err=True)


@audit.command("script")
def show_script() -> None:
    """Prints the program with which auditors check a log or a receipt by themselves."""
    typer.echo(Path(audit_verify.__file__).read_text("utf-8"), nl=False)
