"""Agreements, their versions and their signers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.agreement import Agreement, AgreementState, Pinned, Signer
from domain.agreement_field import AgreementField
from domain.agreement_version import AgreementVersion
from store.columns import instant, json_column, optional_instant, primary_id
from store.never_clear import never_clear, refuse_clear
from store.page import page_of
from store.public_session import PublicSessionRow, TaskRow
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class AgreementRow(SealedRow, table=True):
    """One living transaction on a document. Its row's lock is where versions and signatures meet.

    One that a task of a template brought belongs to that public session (`session_id`) and goes
    with it; a member's own belongs to itself. `digest` is the hash of the current version.
    `seal_error` is why its next step fails: asking a signer, or, once all have signed, the seal.
    """

    __tablename__ = "agreement"
    __table_args__ = (
        never_clear(),
        CheckConstraint("version > 0", name="version"),
        Index(None, "workspace_id", "id"),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID | None = Field(default=None, foreign_key="public_session.id", index=True)
    state: str = AgreementState.DRAFT
    version: int = 1
    digest: str
    ordered: bool = True
    step_up: bool = False
    time_bound_days: int = 14
    created_by: str
    created_at: datetime = instant()
    sent_at: datetime | None = optional_instant()
    signed_at: datetime | None = optional_instant()
    ended_at: datetime | None = optional_instant()
    sealed_paper_id: UUID | None = Field(default=None, foreign_key="paper.id")
    sealed_sha256: str = ""
    sealed_level: str = ""
    seal_failures: int = 0
    erased_at: datetime | None = optional_instant()

    title = sealed("title", "")
    message = sealed("message", "")
    rationale = sealed("rationale", "")
    notify_email = sealed("notify_email", "")
    seal_error = sealed("seal_error", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The public session it came with, or itself."""
        if self.session_id is not None:
            return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)
        return Owner(self.workspace_id, self.id, OwnerKind.AGREEMENT)


class AgreementVersionRow(SealedRow, table=True):
    """What one version says; never changed once another window may have read it."""

    __tablename__ = "agreement_version"
    __table_args__ = (never_clear(), UniqueConstraint("agreement_id", "version"))

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    agreement_id: UUID = Field(foreign_key="agreement.id")
    owner_id: UUID
    owner_kind: str
    version: int
    paper_id: UUID = Field(foreign_key="paper.id")
    paper_sha256: str
    pages: list[str] = json_column(list)
    sha256: str
    created_by: str
    created_at: datetime = instant()

    title = sealed("title", "")
    consent = sealed("consent", "")
    fields = sealed("fields", list[dict[str, Any]]())

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The agreement's owner."""
        return Owner(self.workspace_id, self.owner_id, self.owner_kind)

    @property
    def value(self) -> AgreementVersion:
        """The domain value."""
        return AgreementVersion(
            self.title,
            self.paper_sha256,
            tuple(self.pages),
            tuple(map(AgreementField.of, self.fields)),
            self.consent,
        )


class AgreementSignerRow(SealedRow, table=True):
    """One signer by position: which party, through which public session, and what it signed.

    `opened_at` is of that session: who is asked again has not opened it.
    """

    __tablename__ = "agreement_signer"
    __table_args__ = (
        never_clear(),
        UniqueConstraint("agreement_id", "position"),
        Index(None, "session_id"),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    agreement_id: UUID = Field(foreign_key="agreement.id")
    owner_id: UUID
    owner_kind: str
    position: int
    party_id: UUID = Field(foreign_key="party.id")
    signs: bool = True
    session_id: UUID | None = Field(default=None, foreign_key="public_session.id")
    opened_at: datetime | None = optional_instant()
    signed_at: datetime | None = optional_instant()
    signed_version: int | None = None

    name = sealed("name", "")
    values = sealed("values", dict[str, Any]())
    evidence = sealed("evidence", dict[str, Any]())

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The agreement's owner: a signed document is the company's, and the signers'."""
        return Owner(self.workspace_id, self.owner_id, self.owner_kind)

    @property
    def value(self) -> Signer:
        """The domain value."""
        return Signer(self.position, self.session_id is not None, self.signed_at)


for _table in (AgreementRow, AgreementVersionRow, AgreementSignerRow):
    refuse_clear(_table)


async def agreement_by_id(
    db: AsyncSession, agreement_id: UUID, workspace_id: UUID | None = None, *, lock: bool = False
) -> AgreementRow | None:
    """An agreement, of this workspace if one is named; its row locked if asked."""
    found = select(AgreementRow).where(AgreementRow.id == agreement_id)
    if workspace_id is not None:
        found = found.where(AgreementRow.workspace_id == workspace_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def agreements_of_session(db: AsyncSession, session_id: UUID) -> Sequence[AgreementRow]:
    """The agreements that came with a public session's tasks, as they are now."""
    found = select(AgreementRow).where(AgreementRow.session_id == session_id)
    found = found.execution_options(populate_existing=True)
    return await opened(db, (await db.scalars(found.order_by(col(AgreementRow.id)))).all())


async def lock_signed_in(db: AsyncSession, session_id: UUID) -> None:
    """Locks the agreements that are to be signed in a public session, in the order of their ids."""
    signs = select(AgreementSignerRow.agreement_id).where(
        AgreementSignerRow.session_id == session_id
    )
    found = select(AgreementRow.id).where(col(AgreementRow.id).in_(signs))
    await db.execute(found.order_by(col(AgreementRow.id)).with_for_update())


async def signed_in_session(db: AsyncSession, session_id: UUID) -> Sequence[AgreementRow]:
    """The agreements that are, or were, to be signed in a public session."""
    found = (
        select(AgreementRow)
        .join(AgreementSignerRow, col(AgreementSignerRow.agreement_id) == AgreementRow.id)
        .where(AgreementSignerRow.session_id == session_id)
    )
    return await opened(db, (await db.scalars(found.order_by(col(AgreementRow.id)))).all())


async def signers_in_session(db: AsyncSession, session_id: UUID) -> Sequence[AgreementSignerRow]:
    """The signers that a public session stands for."""
    found = select(AgreementSignerRow).where(AgreementSignerRow.session_id == session_id)
    return await opened(db, (await db.scalars(found.order_by(col(AgreementSignerRow.id)))).all())


async def sessions_asked(db: AsyncSession, agreements: Collection[UUID]) -> Sequence[UUID]:
    """The public sessions that signers were asked through, those of before included, by ids."""
    asked = select(AgreementSignerRow.session_id).where(
        col(AgreementSignerRow.agreement_id).in_(agreements),
        col(AgreementSignerRow.session_id).is_not(None),
    )
    before = asked.cte("before", recursive=True)
    session, known = PublicSessionRow, before.c.session_id
    reissued = select(session.reissued_from).join(before, col(session.id) == known)
    chain = before.union(reissued.where(col(session.reissued_from).is_not(None)))
    found = select(chain.c.session_id).order_by(chain.c.session_id)
    ids: Sequence[UUID] = (await db.scalars(found)).all()
    return ids


async def agreements_page(
    db: AsyncSession, workspace_id: UUID, state: str | None, cursor: str | None, limit: int
) -> tuple[Sequence[AgreementRow], str | None]:
    """A page of a workspace's agreements, newest first, in one state if one is named."""
    found = select(AgreementRow).where(AgreementRow.workspace_id == workspace_id)
    if state:
        found = found.where(AgreementRow.state == state)
    rows, following = await page_of(db, found, col(AgreementRow.id), cursor, limit)
    return await opened(db, rows), following


async def version_of(db: AsyncSession, agreement_id: UUID, version: int) -> AgreementVersionRow:
    """One version; it exists."""
    found = select(AgreementVersionRow).where(
        AgreementVersionRow.agreement_id == agreement_id, AgreementVersionRow.version == version
    )
    return (await opened(db, [(await db.scalars(found)).one()]))[0]


async def known_version(
    db: AsyncSession, agreement_id: UUID, version: int
) -> AgreementVersionRow | None:
    """One version, if there is or was one that is still kept."""
    found = select(AgreementVersionRow).where(
        AgreementVersionRow.agreement_id == agreement_id, AgreementVersionRow.version == version
    )
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def versions_of(db: AsyncSession, agreement_id: UUID) -> Sequence[AgreementVersionRow]:
    """Every version, oldest first."""
    found = select(AgreementVersionRow).where(AgreementVersionRow.agreement_id == agreement_id)
    ordered = found.order_by(col(AgreementVersionRow.version))
    return await opened(db, (await db.scalars(ordered)).all())


async def signers_of(db: AsyncSession, agreement_id: UUID) -> Sequence[AgreementSignerRow]:
    """The signers in their order, as they are now."""
    found = select(AgreementSignerRow).where(AgreementSignerRow.agreement_id == agreement_id)
    ordered = found.order_by(col(AgreementSignerRow.position))
    rows = (await db.scalars(ordered.execution_options(populate_existing=True))).all()
    return await opened(db, rows)


async def only_reads_in(db: AsyncSession, session_id: UUID) -> bool:
    """Whether somebody in a session reads and confirms an agreement without signing it (PS-42)."""
    signer, task = AgreementSignerRow, TaskRow
    found = (
        select(signer.id)
        .join(TaskRow, col(task.agreement_id) == signer.agreement_id)
        .where(task.session_id == session_id, signer.position == task.signer, ~col(signer.signs))
    )
    return (await db.scalars(found.limit(1))).first() is not None


def agreement_value(row: AgreementRow, signers: Sequence[AgreementSignerRow]) -> Agreement:
    """The domain value of an agreement's rows."""
    return Agreement(
        AgreementState(row.state),
        Pinned(row.version, row.digest),
        row.ordered,
        tuple(each.value for each in signers),
    )
