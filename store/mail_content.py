"""What a workspace's administrators wrote themselves: a mail's text in one language (SH-16)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, select

from domain.mail_content import MailText
from store.columns import instant


class MailContentRow(SQLModel, table=True):
    """One mail's own text in one language; without a row the default counts.

    In clear, as forms and documents are: it is what the workspace publishes.
    """

    __tablename__ = "mail_content"

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    kind: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    subject: str
    body: str
    changed_at: datetime = instant()

    @property
    def text(self) -> MailText:
        """The domain value."""
        return MailText(self.subject, self.body)


async def mail_content(
    db: AsyncSession, workspace_id: UUID, kind: str, language: str
) -> MailContentRow | None:
    """A workspace's own text of a mail in a language, as it is now: others write it, too."""
    key = (workspace_id, kind, language)
    return await db.get(MailContentRow, key, populate_existing=True)


async def mail_contents(db: AsyncSession, workspace_id: UUID) -> Sequence[MailContentRow]:
    """Every text that a workspace wrote itself."""
    found = select(MailContentRow).where(MailContentRow.workspace_id == workspace_id)
    return (await db.scalars(found)).all()
