"""What is read of whoever comes with a cookie: which browser it is, and what there is to do."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from store.binding import BindingRow
from store.public_session import TaskRow


async def entry_of(
    db: AsyncSession, session_id: UUID, digests: Sequence[str]
) -> tuple[BindingRow | None, tuple[TaskRow, ...]]:
    """The browser of this session whose cookie has one of these digests, and the tasks in order.

    Both as they are now, in one statement; of a stranger, neither. A session has one task at least.
    """
    found = (
        select(BindingRow, TaskRow)
        .join(TaskRow, col(TaskRow.session_id) == BindingRow.session_id)
        .where(BindingRow.session_id == session_id, col(BindingRow.digest).in_(digests))
        .order_by(col(TaskRow.position))
        .execution_options(populate_existing=True)
    )
    rows = (await db.execute(found)).all()
    return rows[0][0] if rows else None, tuple(task for _, task in rows)
