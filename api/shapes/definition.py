"""Definitions as the API shows them: forms, documents, lifecycles and session templates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from api.shapes.field import Shown
from domain.definition import DefinitionStatus
from domain.public_session import OPEN, Status
from store.definition import DefinitionRow


class DefinitionVersion(Shown):
    """One version of a definition, without its body."""

    key: str
    version: int
    status: DefinitionStatus
    created_at: datetime
    published_at: datetime | None


class DefinitionShape(DefinitionVersion):
    """One version of a definition; `digest` is the SHA-256 of its body as canonical JSON."""

    digest: str
    body: dict[str, Any]


class Recent(Shown):
    """What was issued since `since`, and how many of those completed, expired and so on (PS-21)."""

    since: datetime
    issued: int
    open: int
    outcomes: dict[Status, int] = Field(description="Only statuses that occurred and are ends")

    @classmethod
    def of(cls, since: datetime, counts: Mapping[str, int]) -> Self:
        """Sums counts by status up."""
        still = sum(counts.get(each.value, 0) for each in OPEN)
        ended = {Status(name): n for name, n in counts.items() if Status(name) not in OPEN}
        return cls(since=since, issued=sum(counts.values()), open=still, outcomes=ended)


class TemplateShape(DefinitionVersion):
    """A session template's newest version with what was issued of any version lately."""

    name: str
    recent: Recent

    @classmethod
    def of(cls, row: DefinitionRow, recent: Recent) -> Self:
        """The shape of a row."""
        return cls.model_validate(row.model_dump() | {"name": row.body["name"], "recent": recent})


class Trigger(Shown):
    """Where a lifecycle issues a template: `enter:{state}` or `pass:{transition}` (PS-4)."""

    lifecycle: str
    at: str


class TemplateDetail(TemplateShape):
    """A session template with its body, all its versions, newest first, and what triggers it."""

    digest: str
    body: dict[str, Any]
    versions: list[DefinitionVersion]
    triggered_by: list[Trigger]

    @classmethod
    def whole(
        cls, versions: Sequence[DefinitionRow], triggers: list[Trigger], recent: Recent
    ) -> Self:
        """The shape of every version of a key, newest first."""
        return cls.model_validate(
            versions[0].model_dump()
            | {
                "name": versions[0].body["name"],
                "versions": [DefinitionVersion.model_validate(each) for each in versions],
                "triggered_by": triggers,
                "recent": recent,
            }
        )
