"""Our own side of the desk: the workspace, its token, its parties; and what a mail would say."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.keyring import Keyring, open_keyring
from commands.pack import load_pack
from commands.party import create_party
from commands.token import CreateToken, create_token
from commands.work import Transactions
from commands.workspace import CreateWorkspace, create_workspace
from domain.actor import OPERATOR
from domain.party import PartyFields
from domain.settings import Settings
from store import database
from store.intent import IntentRow

PACK = Path(__file__).parent / "pack"
TEMPLATE = "four-tasks"
OWNER = "owner@bench.example"
AT_ONCE = 50


class LeftToTheWorker:
    """What this process writes is delivered by the worker's loop, seconds later."""

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Leaves them in their rows."""


@dataclass(slots=True)
class Office:
    """What is needed to issue: a token and parties that have no session yet."""

    begin: Transactions
    engine: AsyncEngine
    workspace_id: UUID
    token: str
    parties: list[UUID]

    @property
    def keyring(self) -> Keyring:
        """The keys that links and codes are derived with."""
        return self.begin.keyring

    def headers(self) -> dict[str, str]:
        """The headers of an API call."""
        return {"authorization": f"Bearer {self.token}"}

    def issue_body(self, template: str = TEMPLATE) -> bytes:
        """The body that issues to the next party."""
        return json.dumps({"template": template, "party": str(self.parties.pop())}).encode()

    def link(self, session_id: UUID) -> str:
        """The link's token, as the invitation carries it."""
        return self.keyring.link_token(session_id, 1, self.keyring.current)

    def code(self, session_id: UUID) -> str:
        """The first code, as its mail carries it."""
        return self.keyring.code(
            session_id, 1, self.keyring.current, self.begin.settings.code_digits
        )


async def open_office(settings: Settings, parties: int) -> Office:
    """Makes a workspace, a token with an owner who is told by mail, the pack, and parties.

    The caller disposes of the engine.
    """
    engine = database.connect(settings)
    keyring = open_keyring(settings)
    begin = Transactions(engine, settings, keyring, LeftToTheWorker())
    async with begin.work() as work:
        workspace = await create_workspace(work, CreateWorkspace("bench", "Bench", ""))
        await work.db.flush()
        await load_pack(work, workspace.id, PACK, publish=True)
        _, token = await create_token(work, workspace, CreateToken("bench", OWNER, None))
    made: list[UUID] = []
    while len(made) < parties:
        async with begin.work() as work:
            for number in range(len(made), min(len(made) + AT_ONCE, parties)):
                moved = await create_party(work, workspace.id, _party(number), OPERATOR)
                made.append(moved.party.id)
    return Office(begin, engine, workspace.id, token, made)


def _party(number: int) -> PartyFields:
    return PartyFields("supplier", f"Supplier {number}", f"supplier{number}@bench.example")
