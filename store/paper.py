"""Papers: the PDFs of agreements, sealed in their rows (PS-28).

A paper is written with the row that refers to it, or not at all; it is never changed. It lies in
the database, not in the object store: a version and its pages are one fact, and a restored backup
has both.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from store.columns import instant, new_id, primary_id
from store.sealed import Owner, key_of

MOST_BYTES = 20 * 1024 * 1024


class PaperRow(SQLModel, table=True):
    """One PDF: `content` is encrypted under its owner's key and bound to this row."""

    __tablename__ = "paper"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    owner_id: UUID = Field(index=True)
    owner_kind: str
    content: bytes = Field(sa_type=LargeBinary)
    size: int
    created_at: datetime = instant()

    @property
    def owner(self) -> Owner:
        """Whose key seals it."""
        return Owner(self.workspace_id, self.owner_id, self.owner_kind)

    @property
    def place(self) -> tuple[str, str, str]:
        """What the content is bound to."""
        return "paper", "content", str(self.id)


async def add_paper(db: AsyncSession, owner: Owner, pdf: bytes, at: datetime) -> PaperRow | None:
    """Keeps a PDF; None once the owner's key is destroyed."""
    row = PaperRow(
        id=new_id(),
        workspace_id=owner.workspace_id,
        owner_id=owner.subject_id,
        owner_kind=owner.kind,
        content=b"",
        size=len(pdf),
        created_at=at,
    )
    sealed = (await key_of(db, owner)).seal(row.place, pdf)
    if sealed is None:
        return None
    row.content = sealed
    db.add(row)
    return row


async def paper_pdf(db: AsyncSession, paper_id: UUID) -> bytes | None:
    """The PDF itself; None once its owner is erased. Raises `Undecipherable`."""
    row = await db.get(PaperRow, paper_id)
    if row is None or not row.content:
        return None
    return (await key_of(db, row.owner)).open(row.place, row.content)
