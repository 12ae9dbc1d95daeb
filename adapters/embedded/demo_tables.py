"""Whether the demo's database has this release's tables, asked without starting `gatepass migrate`.

The migrations' fingerprint is kept as the database's comment: it lives and dies with the tables.
"""

from hashlib import sha256
from pathlib import Path

from psycopg import sql

from adapters.embedded.postgres import DATABASE, Postgres

_MIGRATIONS = Path(__file__).parents[2] / "store/migrations/versions"


def fingerprint(migrations: Path = _MIGRATIONS) -> str:
    """A digest of every migration's name and text."""
    digest = sha256()
    for path in sorted(migrations.glob("*.py")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return f"migrations {digest.hexdigest()}"


def are_current(postgres: Postgres) -> bool:
    """Whether the database was brought up to date with exactly these migrations."""
    return _noted(postgres) == fingerprint()


def are_missing(postgres: Postgres) -> bool:
    """Whether the database is new: the cluster's folder may be gone when the data folder is not."""
    return _noted(postgres) is None


def _noted(postgres: Postgres) -> object:
    query = (
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = current_database()"
    )
    with postgres.connect(DATABASE) as connection:
        found = connection.execute(query).fetchone()
    return found[0] if found else None


def note_current(postgres: Postgres) -> None:
    """Remember that the database is up to date."""
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.Identifier(DATABASE), sql.Literal(fingerprint())
    )
    with postgres.connect(DATABASE) as connection:
        connection.execute(statement)
