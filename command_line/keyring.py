"""`gatepass keyring`: makes, rotates, shows and destroys keys, and seals what lies in clear."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from adapters.root_key import create_key_file
from command_line.progress import shown
from command_line.surroundings import (
    Surroundings,
    fail,
    refusals_told,
    run,
    surroundings,
    work_at_leisure,
)
from commands.clear_text import ClearText, ClearTextRecord
from commands.keyring import Epoch, KeyringStatus, destroy_epoch, refuse_destruction, status
from commands.rotation import rotate
from commands.sealing import forget_clear_copies, seal_everything
from commands.workspace import find_workspace
from store.rotation import sole_rotation
from store.workspace_key import KeyState

STOPPED = 130
"""The exit status of what Ctrl-C ended."""

keyring = typer.Typer(no_args_is_help=True, help="The root key, and all keys that it wraps.")


@keyring.command("create")
def create(path: Path) -> None:
    """Makes a root key file, readable by its owner alone. Keep a copy apart from the database's."""
    with refusals_told():
        create_key_file(path)
    typer.echo(f"Made {path}. Keep a copy apart from the database and its backups.")
    typer.echo("Without it nothing can be read; with it and the database, everything can.")


@keyring.command("rotate")
def rotate_keys(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="This workspace's key alone.")
    ] = None,
) -> None:
    """Begins a new epoch and wraps all keys anew; or goes on where the last one was stopped.

    Everything goes on working meanwhile. With GATEPASS_ROOT_KEY or GATEPASS_ROOT_KEY_COMMAND, and
    with a root key file of which several machines have copies, add the new version there first.
    """
    with _resumable():
        run(_rotate(workspace))


async def _rotate(workspace: str | None) -> None:
    async with _alone() as found:
        chosen = await _workspace_id(found, workspace) if workspace else None
        typer.echo("Processes hear of new keys within 15 seconds; leave them running.", err=True)
        await shown(rotate(found.begin, found.installation, chosen))
        async with found.begin.work() as work:
            seen = await status(work)
    if workspace:
        typer.echo(f"Every data key of {workspace} is wrapped by its newest version.")
        return
    newest = max(each.number for each in seen.epochs if each.began_at)
    typer.echo(f"Every key is wrapped by epoch {newest}. Back the root key up now.")
    for each in seen.epochs:
        if each.destroyable_at:
            typer.echo(f"Epoch {each.number} may be destroyed from {_day(each.destroyable_at)} on.")


async def _workspace_id(found: Surroundings, key: str) -> UUID:
    async with found.begin.work() as work:
        return (await find_workspace(work, key)).id


@asynccontextmanager
async def _alone() -> AsyncIterator[Surroundings]:
    """The surroundings, unless another command is changing the keyring."""
    async with surroundings() as found, sole_rotation(found.engine) as is_sole:
        if not is_sole:
            fail("Another `gatepass keyring` command is at work; wait until it has ended.")
        yield found


@contextmanager
def _resumable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nStopped. Run it again: it goes on where it stopped.", err=True)
        raise typer.Exit(STOPPED) from None


@keyring.command("status")
def show_status() -> None:
    """Shows epochs, the keys that each wraps, and what still lies in clear."""
    run(_show_status())


async def _show_status() -> None:
    async with work_at_leisure() as work:
        seen = await status(work)
    for line in (*_epoch_lines(seen), "", *_workspace_lines(seen), "", *_clear_lines(seen)):
        typer.echo(line)


def _epoch_lines(seen: KeyringStatus) -> Iterator[str]:
    yield f"{'epoch':8}{'since':18}{'workspace keys':16}{'installation keys':19}state"
    for each in seen.epochs:
        since = _moment(each.began_at) if each.began_at else "-"
        keys = f"{each.workspace_keys:<16}{each.installation_keys:<19}"
        yield f"{each.number:<8}{since:18}{keys}{_state(each)}"


def _state(epoch: Epoch) -> str:
    if epoch.destroyable_at is None:
        return epoch.state
    if epoch.keys_in_use:
        return f"wraps {epoch.keys_in_use} keys in use, which must be 0: `gatepass keyring rotate`"
    return f"may be destroyed from {_day(epoch.destroyable_at)} on"


def _workspace_lines(seen: KeyringStatus) -> Iterator[str]:
    width = max([len("workspace"), *(len(each.workspace) for each in seen.counts)]) + 2
    yield f"{'workspace':{width}}{'version':9}{'epoch':7}{'state':11}data keys"
    for each in seen.counts:
        if each.state != KeyState.DESTROYED:
            place = f"{each.workspace:{width}}{each.version:<9}{each.epoch:<7}"
            yield f"{place}{each.state:11}{each.data_keys}"


def _clear_lines(seen: KeyringStatus) -> Iterator[str]:
    rows = {table: count for table, count in seen.unsealed.items() if count}
    if rows:
        yield f"{'in clear':17}rows"
    for table, count in rows.items():
        yield f"{table:17}{count}"
    yield _clear_text(seen.clear_text, has_rows=bool(rows))


def _clear_text(found: ClearTextRecord | None, *, has_rows: bool) -> str:
    """What there is to know and to do about clear text."""
    left = found.left if found else None
    if has_rows and left != ClearText.IN_ROWS:
        return (
            "No older release left these rows: somebody wrote them into the database. They are "
            "neither read nor sealed."
        )
    if has_rows:
        return "A worker seals them by itself; `gatepass keyring seal` does it now."
    if left in {ClearText.IN_ROWS, ClearText.IN_FILES}:
        return (
            "No row lies in clear, but the tables' files still hold clear copies: run "
            "`gatepass keyring seal`."
        )
    if found is None:
        return "Nothing lies in clear."
    return (
        f"Nothing lies in clear; the tables' files were rewritten on {_day(found.since)}. What is "
        "older than that (WAL, archives, backups) holds clear text."
    )


@keyring.command("destroy-epoch")
def destroy(
    number: int,
    now: Annotated[bool, typer.Option("--now", help="Before its time: a key leaked.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """Destroys a version of the root key for good: erasures of its time become final.

    Refused while anything is wrapped by it, and as long as its backups are kept.
    """
    run(_destroy(number, now=now, yes=yes))


async def _destroy(number: int, *, now: bool, yes: bool) -> None:
    async with _alone() as found:
        async with found.begin.work() as work:
            await refuse_destruction(work, number, early=now)
        if not yes:
            await asyncio.to_thread(_confirm, number)
        async with found.begin.work() as work:
            destroyed = await destroy_epoch(work, number, early=now)
    typer.echo(f"Epoch {number} is destroyed, with {destroyed} workspace keys.")
    typer.echo("Destroy its copies too. Running processes forget it when they are restarted.")


def _confirm(number: int) -> None:
    typer.echo(f"Nothing in use needs epoch {number}. Backups of its time become unreadable,")
    typer.echo("what was erased since can never be read again, and this cannot be undone.")
    if typer.prompt("Type the epoch's number to destroy it", default="") != str(number):
        fail("Nothing was destroyed.")


@keyring.command("seal")
def seal(
    rewrite: Annotated[
        bool, typer.Option(help="Write the tables anew; each is locked meanwhile.")
    ] = True,
) -> None:
    """Seals rows of an older release now, then rewrites their tables without the clear copies."""
    with _resumable():
        run(_seal(rewrite=rewrite))


async def _seal(*, rewrite: bool) -> None:
    async with _alone() as found:
        await shown(seal_everything(found.begin))
        if rewrite:
            await shown(forget_clear_copies(found.engine, found.begin))
        async with found.begin.work() as work:
            seen = await status(work)
    for line in _clear_lines(seen):
        typer.echo(line)
    typer.echo(
        "WAL segments, archives and backups from before hold clear text until they are removed: "
        "make a new base backup now, and remove older ones as soon as you may."
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
