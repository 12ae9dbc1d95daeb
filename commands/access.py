"""Notes who opened which page, or was denied it, for the application report (EE-16)."""

from dataclasses import dataclass
from uuid import UUID

from commands.work import Work
from store.access import PageVisitRow


@dataclass(frozen=True, slots=True)
class Visit:
    """A page by its name, never with ids in it, and who asked for it in which way."""

    workspace_id: UUID
    page: str
    member_id: UUID | None = None
    token_id: UUID | None = None
    on_behalf_of: UUID | None = None
    mode: str = ""
    denied: bool = False


def note_visit(work: Work, visit: Visit) -> None:
    """Writes a visit down with the transaction that it is part of."""
    row = PageVisitRow(
        workspace_id=visit.workspace_id,
        member_id=visit.member_id,
        token_id=visit.token_id,
        on_behalf_of=visit.on_behalf_of,
        mode=visit.mode,
        page=visit.page,
        denied=visit.denied,
        at=work.at,
    )
    work.db.add(row)
