"""The party's door: the link finds the session, and mails a code to the address on file (PS-26).

The link opens nothing, and asking for a code shows nothing: only the code, typed by somebody who
reads that mailbox, binds a browser (`commands/binding.py`).
"""

from dataclasses import dataclass

from adapters.keyring import link_digest, read_link_token
from commands.code import Asker, CodeMail, mail_code, newest_code_mail
from commands.party import find_party
from commands.public_session import refuse_ended
from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.errors import NotFound
from domain.mail import MailKind
from domain.party import masked
from domain.public_session import EndReason
from store.party import PartyRow
from store.public_session import PublicSessionRow, TaskRow, session_by_link, tasks_of, value_of
from store.visit import count_visit
from store.workspace import WorkspaceRow, workspace_by_id

DOOR = "door"


@dataclass(frozen=True, slots=True)
class Door:
    """What whoever holds the link is shown."""

    session: PublicSessionRow
    party: PartyRow
    workspace: WorkspaceRow
    tasks: tuple[TaskRow, ...]
    end_reason: EndReason | None
    address: str


async def open_door(work: Work, link: str, *, counted: bool = False) -> Door:
    """What a link leads to; raises `NotFound`. Changes nothing but, if `counted`, a counter."""
    session = await session_behind(work, link)
    if counted:
        await count_visit(work.db, session.id, work.at)
    party = await find_party(work, session.workspace_id, session.party_id)
    tasks = tuple(await tasks_of(work.db, session.id))
    return Door(
        session=session,
        party=party,
        workspace=await workspace_by_id(work.db, session.workspace_id),
        tasks=tasks,
        end_reason=value_of(session, tasks).end_at(work.at),
        address=masked(party.email),
    )


async def session_behind(work: Work, link: str, *, lock: bool = False) -> PublicSessionRow:
    """The session whose living link this is; raises `NotFound`."""
    digest = link_digest(read_link_token(link))
    session = await session_by_link(work.db, digest, lock=lock)
    if session is None:
        raise NotFound("link")
    return session


async def ask_code(work: Work, link: str, door: str) -> CodeMail:
    """Mails a code to the address on file; raises `NotFound`, `SessionEnded` and as `mail_code`."""
    session = await session_behind(work, link, lock=True)
    refuse_ended(work, session)
    return await mail_code(work, session, asker_at(work, door))


async def code_mail(work: Work, link: str) -> CodeMail:
    """What the code page says of the newest code mail; changes nothing. Raises as `ask_code`."""
    session = await session_behind(work, link)
    refuse_ended(work, session)
    return await newest_code_mail(work, session, MailKind.CODE)


def door_digest(work: Work, door: str) -> str:
    """What is stored of the asking browser."""
    return work.keyring.digest(DOOR, door)[:32]


def asker_at(work: Work, door: str) -> Asker:
    """Whoever stands at the door with this cookie."""
    place = door_digest(work, door)
    return Asker(place, Actor(ActorKind.VISITOR, place[:8]))
