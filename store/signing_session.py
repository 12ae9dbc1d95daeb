"""Signing sessions: which of a signer's windows may fill and sign one task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.window import Window
from store.agreement import AgreementRow, AgreementSignerRow, AgreementVersionRow
from store.binding import BindingRow
from store.columns import optional_instant, primary_id
from store.never_clear import never_clear, refuse_clear
from store.sealed import Owner, OwnerKind, opened, opened_one, sealed
from store.window import WindowRow


class SigningSessionRow(WindowRow, table=True):
    """One signer at one task: the window that holds it, and what was entered so far.

    `seen_version` is the version the signer has confirmed; `values` were saved by the holder.
    """

    __tablename__ = "signing_session"
    __table_args__ = (never_clear(),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID = Field(foreign_key="public_session.id", index=True)
    task_id: UUID = Field(foreign_key="task.id", unique=True)
    agreement_id: UUID = Field(foreign_key="agreement.id", index=True)
    position: int
    binding_id: UUID | None = None
    seen_version: int
    confirmed_at: datetime | None = optional_instant()
    stepped_up_at: datetime | None = optional_instant()
    stepped_up_fence: int = 0
    ended_at: datetime | None = optional_instant()

    values = sealed("values", dict[str, Any]())

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The public session it is part of."""
        return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)

    @override
    def hold(self, window: Window) -> None:
        """Writes the window down."""
        super().hold(window)
        if window.ended is None:
            self.ended_at = None


refuse_clear(SigningSessionRow)


@dataclass(frozen=True, slots=True)
class Parts:
    """What one signer's task is about, of one moment; `window` is None until one was opened."""

    version: AgreementVersionRow
    signers: tuple[AgreementSignerRow, ...]
    window: SigningSessionRow | None


# Put together once, not for each request.
PARTS = (
    select(AgreementSignerRow, AgreementVersionRow, SigningSessionRow)
    .join(
        AgreementVersionRow,
        and_(
            col(AgreementVersionRow.agreement_id) == AgreementSignerRow.agreement_id,
            col(AgreementVersionRow.version) == bindparam("version"),
        ),
    )
    .outerjoin(SigningSessionRow, col(SigningSessionRow.task_id) == bindparam("task"))
    .where(col(AgreementSignerRow.agreement_id) == bindparam("agreement"))
    .order_by(col(AgreementSignerRow.position))
    .execution_options(populate_existing=True)
)


async def parts_of(db: AsyncSession, agreement: AgreementRow, task_id: UUID) -> Parts:
    """The present version, the signers in their order and the task's window, in one statement.

    Whoever writes any of them has locked the agreement, so with its lock they are as they stay.
    """
    given = {"agreement": agreement.id, "version": agreement.version, "task": task_id}
    signers, versions, windows = zip(*(await db.execute(PARTS, given)).all(), strict=True)
    window = windows[0]
    await opened(db, [*signers, versions[0], *([window] if window else [])])
    return Parts(versions[0], signers, window)


async def signing_session_by_id(db: AsyncSession, signing_id: UUID) -> SigningSessionRow | None:
    """A signing session, as it is now."""
    found = select(SigningSessionRow).where(SigningSessionRow.id == signing_id)
    found = found.execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def signing_sessions_of(db: AsyncSession, session_id: UUID) -> Sequence[SigningSessionRow]:
    """The signing sessions of a public session, locked in the order of their ids."""
    found = select(SigningSessionRow).where(SigningSessionRow.session_id == session_id)
    ordered = found.order_by(col(SigningSessionRow.id)).with_for_update()
    rows = (await db.scalars(ordered.execution_options(populate_existing=True))).all()
    return await opened(db, rows)


async def touch_windows(
    db: AsyncSession, binding: BindingRow, at: datetime, since: datetime
) -> None:
    """Somebody did something in this browser: none of its windows that is still open is idle.

    One that was silent since `since` has ended, and stays so. One that is being written just now is
    left out: nobody waits for it.
    """
    row = SigningSessionRow
    still_open = (
        select(row.id)
        .where(
            row.session_id == binding.session_id,
            row.binding_id == binding.id,
            col(row.end_reason).is_(None),
            row.active_at > since,
        )
        .with_for_update(skip_locked=True)
    )
    touched = update(row).where(col(row.id).in_(still_open))
    touched = touched.values(active_at=func.greatest(col(row.active_at), at))
    await db.execute(touched.execution_options(synchronize_session=False))


async def windows_on(db: AsyncSession, agreement_id: UUID) -> Sequence[SigningSessionRow]:
    """Every signer's window on an agreement, open or not."""
    found = select(SigningSessionRow).where(SigningSessionRow.agreement_id == agreement_id)
    return (await db.scalars(found.order_by(col(SigningSessionRow.position)))).all()
