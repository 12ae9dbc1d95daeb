"""The bare workflows that ours are compared with: nothing of Gatepass is in them."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from psycopg_pool import AsyncConnectionPool

QUEUE = "bare"
SIGNALS = 4
COMMIT_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Told:
    """A signal's or update's message: as small as ours."""

    fact_id: str
    last: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """Which row to commit."""

    key: str


class BareActivities:
    """Handed the pool by the worker."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """Takes the worker's pool."""
        self._pool = pool

    @activity.defn
    async def commit(self, wanted: Commit) -> None:
        """One row, one transaction; again is once."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO bare.done (key) VALUES (%s) ON CONFLICT DO NOTHING", [wanted.key]
            )


@workflow.defn
class BareSignals:
    """Told by four signals, ended by one activity that commits one row."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._heard: set[str] = set()

    @workflow.run
    async def run(self) -> None:
        """Waits for the signals, commits, ends."""
        await workflow.wait_condition(lambda: len(self._heard) >= SIGNALS)
        await workflow.execute_activity_method(
            BareActivities.commit,
            Commit(workflow.info().workflow_id),
            start_to_close_timeout=COMMIT_TIMEOUT,
        )

    @workflow.signal
    def told(self, told: Told) -> None:
        """One of the four."""
        self._heard.add(told.fact_id)


@workflow.defn
class BareUpdates:
    """Asked by updates, each with an activity that commits: a design that waits for Temporal."""

    def __init__(self) -> None:
        """Not over yet."""
        self._over = False

    @workflow.run
    async def run(self) -> None:
        """Waits for the last update."""
        await workflow.wait_condition(lambda: self._over and workflow.all_handlers_finished())

    @workflow.update
    async def complete(self, told: Told) -> None:
        """Commits one row and answers."""
        await workflow.execute_activity_method(
            BareActivities.commit,
            Commit(f"{workflow.info().workflow_id}:{told.fact_id}"),
            start_to_close_timeout=COMMIT_TIMEOUT,
        )
        self._over = told.last
