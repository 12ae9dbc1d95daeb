"""What every table is built from: names of constraints, ids, instants and JSON."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def new_id() -> UUID:
    """A UUIDv7: sorted by the time it was made."""
    return uuid7()


def primary_id() -> Any:
    """The primary key of a row."""
    return Field(default_factory=new_id, primary_key=True)


def instant(*, index: bool = False) -> Any:
    """A moment, stored with its zone."""
    return Field(sa_type=DateTime(timezone=True), index=index)


def optional_instant() -> Any:
    """A moment that may not have come."""
    return Field(default=None, sa_type=DateTime(timezone=True), nullable=True)


def json_column(default: Any = None) -> Any:
    """A JSON value. Rows get a new value, never one changed in place."""
    return Field(default_factory=default or dict, sa_type=JSONB, nullable=False)


def ordered_json() -> Any:
    """A JSON object whose members keep their order, as the fields of a form do (jsonb does not)."""
    return Field(default_factory=dict, sa_type=JSON, nullable=False)


def optional_json() -> Any:
    """A JSON value that may be absent."""
    return Field(default=None, sa_type=JSONB(none_as_null=True), nullable=True)


__all__ = [
    "UUID",
    "SQLModel",
    "datetime",
    "instant",
    "json_column",
    "new_id",
    "optional_instant",
    "optional_json",
    "ordered_json",
    "primary_id",
]
