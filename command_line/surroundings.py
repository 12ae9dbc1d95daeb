"""What every command of `gatepass` runs in: settings, keys, a transaction, refusals in words."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

import typer
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.keyring import open_keyring
from adapters.objects import ObjectStoreAway
from adapters.root_key import KeyFileError
from adapters.settings import SettingsError, load_settings
from commands.installation import Installation
from commands.keyring import EpochRefused
from commands.pack import PackError
from commands.restore import RestoreRefused
from commands.sealing import ClearRowsRefused
from commands.work import Transactions, Work, utc_now
from domain.errors import DefinitionFaulty, DomainError
from domain.member_errors import MemberInvalid
from domain.settings import Settings
from store import database
from store.intent import IntentRow

AT_LEISURE = timedelta(minutes=10)
"""A pack may have many files; nobody waits for a page here."""
REFUSALS = (
    DomainError,
    EpochRefused,
    ClearRowsRefused,
    RestoreRefused,
    KeyFileError,
    SettingsError,
    PackError,
)
"""What says in its own words why a command was refused."""
NO_TABLE = "42P01"
NO_COLUMN = "42703"


class LeftToTheWorker:
    """Intents of the command line are delivered by the worker's loop within seconds."""

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Leaves them in their rows."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What commands with several transactions need."""

    engine: AsyncEngine
    begin: Transactions
    installation: Installation


@asynccontextmanager
async def surroundings() -> AsyncIterator[Surroundings]:
    """The database and the keys that the environment names."""
    chosen = settings()
    engine = database.connect(chosen)
    keyring = open_keyring(chosen)
    installation = Installation(engine, keyring, utc_now)
    try:
        await installation.open()
        begin = Transactions(engine, chosen, keyring, LeftToTheWorker())
        yield Surroundings(engine, begin, installation)
    finally:
        await engine.dispose()


@asynccontextmanager
async def work_at_leisure() -> AsyncIterator[Work]:
    """One transaction, which may last."""
    async with surroundings() as found, found.begin.work(within=AT_LEISURE) as work:
        yield work


def settings() -> Settings:
    """The settings of the environment; raises `SettingsError`."""
    return load_settings(os.environ)


def run(job: Coroutine[Any, Any, None]) -> None:
    """Runs one command; what it refuses is told in words and ends with status 1."""
    with refusals_told():
        asyncio.run(job)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Ends the program with words instead of a traceback for what is no fault of ours."""
    try:
        yield
    except (DefinitionFaulty, MemberInvalid) as refusal:
        lines = [f"{each.pointer or '/'}: {each.message}" for each in refusal.faults]
        fail(f"{refusal}\n  " + "\n  ".join(lines))
    except REFUSALS as refusal:
        fail(str(refusal))
    except ObjectStoreAway as error:
        fail(f"The object store cannot be reached ({error}); is GATEPASS_OBJECT_STORE right?")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in {NO_TABLE, NO_COLUMN}:
            raise
        fail("The database has not this release's tables: run `gatepass migrate` first.")
    except Exception as error:
        if not database.is_away(error):
            raise
        fail("PostgreSQL cannot be reached; is GATEPASS_DATABASE_URL right?")


def fail(text: str) -> NoReturn:
    """Ends the program with status 1 and says why."""
    typer.echo(text, err=True)
    raise typer.Exit(1)
