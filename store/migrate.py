"""Brings a database to the newest, or another, revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config

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
