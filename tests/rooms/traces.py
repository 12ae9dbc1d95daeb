"""A party that said the same word everywhere, and every place where traces of it may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from sqlmodel import select

from adapters.aead import Undecipherable
from adapters.objects import ObjectStore
from commands.binding import Verify, verify
from commands.mail import note_bounce
from commands.party import change_party
from commands.public_session import revoke
from commands.room import Visitor, decline_room
from commands.settlement import settle
from store.data_key import DataKeyRow
from store.party import PartyRow
from store.public_session import PublicSessionRow
from store.tables import METADATA
from store.upload import UploadRow
from store.visit import count_visit
from tests.rooms.house import ANNA, House
from tests.rooms.kept_files import keep_file
from tests.rooms.keys import sealed_tables

CANARY = "kanarienvogel7731"
CONTROL = "zaunkoenig4402"


@dataclass(frozen=True, slots=True)
class Known:
    """A party that said the same word everywhere, and its sessions."""

    party: PartyRow
    sessions: tuple[PublicSessionRow, ...]
    file: UploadRow

    @property
    def ids(self) -> list[UUID]:
        return [each.id for each in self.sessions]


async def somebody(house: House, objects: ObjectStore, word: str) -> Known:
    """A party with `word` in every field there is, in sessions that ended in every way."""
    moved = await house.create(
        name=f"Vera {word}", email=f"{word}@vendor.example", attributes={"about": word}
    )
    party, (completed,) = moved.party, moved.issued
    declined, revoked = [
        (await house.issue_to(party, "intake", f"{each}:{party.id}", subject=word)).session
        for each in ("declined", "revoked")
    ]
    for answered in (completed, declined):
        await bound(house, answered.id, word)
    file = await keep_file(house, objects, completed.id, word.encode(), name=f"{word}.pdf")
    await finish(house, completed, await bound(house, completed.id, word), word)
    async with house.transactions.work() as work:
        await decline_room(work, await bound(house, declined.id, word), f"No: {word}")
    async with house.transactions.work() as work:
        target = house.target(revoked)
        await revoke(work, target, f"Because {word}", f"Dear {word}")
    async with house.transactions.work() as work:
        changes = {"attributes": {"more": word}}
        await change_party(work, house.workspace_id, party.id, changes, ANNA)
    await bounce(house, completed.id, f"550 no such user {word}")
    sessions = await sessions_of(house, party.id)
    return Known(await house.party(party.id), sessions, file)


async def finish(house: House, session: PublicSessionRow, visitor: Visitor, word: str) -> None:
    """Completes and settles a session, which writes its answers back and issues the next."""
    await house.complete(visitor, "profile", {"company": f"{word} Ltd"})
    await house.complete(visitor, "terms")
    async with house.transactions.work() as work:
        await settle(work, session.id)


async def bound(house: House, session_id: UUID, word: str) -> Visitor:
    """A browser with the word in its name."""
    code, link = await house.fresh_code(session_id), await house.link(session_id)
    async with house.transactions.work() as work:
        await count_visit(work.db, session_id, work.at)
    came = await verify(house.transactions, Verify(link, "door-1", code, f"Browser {word}"))
    return Visitor(came.session_id, came.secret)


async def bounce(house: House, session_id: UUID, reason: str) -> None:
    invitation = (await house.mails(session_id, "invitation"))[0]
    async with house.transactions.work() as work:
        await note_bounce(work, invitation.id, reason)


async def sessions_of(house: House, party_id: UUID) -> tuple[PublicSessionRow, ...]:
    found = await house.all(PublicSessionRow)
    return tuple(each for each in found if each.party_id == party_id)


async def everything_stored(house: House) -> bytes:
    """Every column of every row of every table."""
    found = b""
    async with house.transactions.work() as work:
        for table in METADATA.sorted_tables:
            for row in (await work.db.execute(table.select())).all():
                found += b"\n".join(
                    each if isinstance(each, bytes) else str(each).encode() for each in row
                )
    return found.lower()


async def everything_that_opens(house: House) -> bytes:
    """What every key that is left opens, wherever it is tried."""
    async with house.transactions.work() as work:
        subjects = (await work.db.scalars(select(DataKeyRow.subject_id))).all()

        def read(db: Session) -> list[Any]:
            return house.transactions.vault.read(db, subjects)

        keys = await work.db.run_sync(read)
        sealed = []
        for table in sealed_tables():
            found: Any = select(table)
            rows = (await work.db.scalars(found)).all()
            sealed += [(each.place, each.sealed) for each in rows if each.sealed]
    return b"\n".join(clear_of(keys, sealed)).lower()


def clear_of(keys: list[Any], sealed: list[Any]) -> Iterator[bytes]:
    for place, record in sealed:
        for key in keys:
            try:
                yield key.open(place, record) or b""
            except Undecipherable:
                continue
