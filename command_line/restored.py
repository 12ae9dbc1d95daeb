"""`gatepass restored`: what an operator runs after a restore, before anything else works."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from adapters.objects import ObjectStore
from command_line.progress import shown
from command_line.surroundings import fail, run, surroundings
from commands.restore import Restoration, Restore
from domain.tombstone import ORPHANS_KEPT_FOR, Fate

SAID = {
    Fate.REVOKED: "sessions that were revoked: revoked again",
    Fate.REISSUED: "sessions that were re-issued: ended again; re-issue them",
    Fate.DECLINED: "sessions that were declined: revoked",
    Fate.COMPLETED: "sessions that were completed: what they captured is lost; re-issue them",
    Fate.SESSION_ERASED: "sessions that were erased: erased again",
    Fate.PARTY_ERASED: "parties that were erased: erased again",
    Fate.AGREEMENT_ERASED: "agreements that were erased: erased again",
    Fate.ADDRESS_CORRECTED: "parties whose address was corrected: without one; correct them again",
    Fate.TOKEN_REVOKED: "API tokens that were revoked: revoked again",
}


def restored(
    since: Annotated[datetime, typer.Option(help="When the backup was taken, in UTC.")],
    revoke_open: Annotated[
        bool, typer.Option(help="Revoke every session that was open then, known to be or not.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """After PostgreSQL was restored: run it before the API and workers are started.

    Ends again what was revoked, re-issued, completed or erased since the backup; no cookie or code
    from before is good, and every member signs in anew. Files that the backup does not know are
    kept. Run twice it is done once.
    """
    backup_at = since if since.tzinfo else since.replace(tzinfo=UTC)
    if backup_at > datetime.now(UTC):
        fail("--since lies in the future; it is when the backup was taken, in UTC.")
    if not yes:
        typer.confirm(
            "Are the API and all workers stopped, and is the database restored?", abort=True
        )
    run(_restored(Restore(backup_at, revoke_open=revoke_open)))


async def _restored(wanted: Restore) -> None:
    async with surroundings() as found:
        objects = ObjectStore.at(found.begin.settings.object_store)
        restoration = Restoration(found.begin, objects, wanted)
        await shown(restoration.run())
    for line in (*_done(restoration), *_left(restoration)):
        typer.echo(line)


def _done(restoration: Restoration) -> Iterator[str]:
    done = restoration.done
    yield f"{done['Open sessions']} open sessions: their parties type a new code."
    yield f"{done['Members']} members who were signed in or trusted a browser: they sign in anew."
    for fate, said in SAID.items():
        if done[fate]:
            yield f"{done[fate]} {said}."
    yield from (f"  {each}" for each in restoration.lost)
    yield f"Files that this database does not know are kept for {ORPHANS_KEPT_FOR.days} days."


def _left(restoration: Restoration) -> Iterator[str]:
    """What somebody has to look after."""
    if (known := restoration.known_until) is not None:
        yield f"What was revoked or erased is known until {known:%Y-%m-%d %H:%M:%S} UTC, not later."
    if restoration.failed:
        yield "These could not be gone through; the log says why. Run it again once mended:"
        yield from (f"  {each}" for each in restoration.failed)
