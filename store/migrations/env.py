"""Alembic's environment: one connection, the whole metadata."""

import os
from typing import Any, Literal

from alembic import context
from sqlalchemy import create_engine, pool

from store.tables import METADATA

url = context.config.attributes.get("url") or os.environ["GATEPASS_DATABASE_URL"]


def render_item(type_: str, item: Any, _context: Any) -> str | Literal[False]:
    """Names SQLModel's string type as SQLAlchemy's own, which needs no import."""
    if type_ == "type" and type(item).__module__.startswith("sqlmodel"):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        render_item=render_item,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
