"""What is read of whoever comes with a cookie: which browser it is, and what there is to do."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from store.binding import BindingRow
from store.public_session import TaskRow

# Put together once, not for each request.
ENTRY = (
    select(BindingRow, TaskRow)
    .join(TaskRow, col(TaskRow.session_id) == BindingRow.session_id)
    .where(
        col(BindingRow.session_id) == bindparam("session"),
        col(BindingRow.digest).in_(bindparam("digests", expanding=True)),
    )
    .order_by(col(TaskRow.position))
    .execution_options(populate_existing=True)
)


async def entry_of(
    db: AsyncSession, session_id: UUID, digests: Sequence[str]
) -> tuple[BindingRow | None, tuple[TaskRow, ...]]:
    """The browser of this session whose cookie has one of these digests, and the tasks in order.

    Both as they are now, in one statement; of a stranger, neither. A session has one task at least.
    """
    given = {"session": session_id, "digests": digests}
    rows = (await db.execute(ENTRY, given)).all()
    return rows[0][0] if rows else None, tuple(task for _, task in rows)
