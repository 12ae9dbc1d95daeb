"""Brings a database to the newest, or another, revision."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration for a database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrades to a revision."""
    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Downgrades to a revision; `base` empties the database."""
    command.downgrade(configuration(url), revision)


def check(url: str) -> None:
    """Raises if the tables and the migrations differ."""
    command.check(configuration(url))


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    scripts = ScriptDirectory(str(MIGRATIONS))
    return scripts.get_current_head(), frozenset(each.revision for each in scripts.walk_revisions())


async def is_migrated(db: AsyncSession) -> bool:
    """Whether the database has this release's revision, or one of a newer release."""
    head, known = _revisions()
    if await db.scalar(select(func.to_regclass("alembic_version"))) is None:
        return False
    found = await db.scalar(text("SELECT version_num FROM alembic_version"))
    return found is not None and (found == head or found not in known)
