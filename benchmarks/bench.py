"""What every measurement is given, and how it waits for quiet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from psycopg_pool import AsyncConnectionPool
from temporalio.client import Client

from adapters.embedded.ports import LOOPBACK
from benchmarks import bare_sql
from benchmarks.bare_temporal import BareTemporal
from benchmarks.http_client import Browser
from benchmarks.office import Office, open_office
from benchmarks.plan import Plan
from benchmarks.stack import Stack
from benchmarks.watcher import ADVANCED, COMMITTED, Watcher

Result = TypeVar("Result")
EVERY = 0.004
"""Seconds between two looks at committed rows, for floors and ours alike."""
QUIET = """
    SELECT NOT EXISTS (SELECT FROM intent WHERE done_at IS NULL)
       AND NOT EXISTS (SELECT FROM mail WHERE state = 'queued')
       AND NOT EXISTS (
           SELECT FROM public_session WHERE ended_at IS NOT NULL AND settled_at IS NULL
       )
"""
LONGEST_NOISE = 60.0


@dataclass(frozen=True, slots=True)
class Bench:
    """The running stack, our side of the desk, the floors, and twenty browsers."""

    plan: Plan
    stack: Stack
    office: Office
    client: Client
    pool: AsyncConnectionPool
    bare: BareTemporal
    advanced: Watcher
    browsers: tuple[Browser, ...]

    async def quiet(self) -> float:
        """Waits until nothing is under way any more: delivered, settled, mailed; when."""
        async with asyncio.timeout(LONGEST_NOISE), self.pool.connection() as connection:
            while True:
                row = await (await connection.execute(QUIET)).fetchone()
                await connection.commit()
                at = perf_counter()
                if row and row[0]:
                    # The workflows' own last tasks follow their last commit.
                    await asyncio.sleep(0.1)
                    return at
                await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(stack: Stack, plan: Plan) -> AsyncIterator[Bench]:
    """Connects to everything."""
    async with AsyncExitStack() as ends:
        size = stack.settings.database_pool
        pool = AsyncConnectionPool(stack.database, min_size=size, max_size=size, open=False)
        await ends.enter_async_context(pool)
        await bare_sql.create(pool)
        client = await Client.connect(
            stack.settings.temporal_address, namespace=stack.settings.temporal_namespace
        )
        browsers = tuple(Browser(LOOPBACK, stack.ports.api) for _ in range(plan.crowd))
        for browser in browsers:
            ends.callback(browser.close)
        office = await open_office(stack.settings, plan.parties)
        ends.push_async_callback(office.engine.dispose)
        yield Bench(
            plan=plan,
            stack=stack,
            office=office,
            client=client,
            pool=pool,
            bare=BareTemporal(client, Watcher(pool, COMMITTED, EVERY)),
            advanced=Watcher(pool, ADVANCED, EVERY),
            browsers=browsers,
        )


@dataclass(frozen=True, slots=True)
class Crowd:
    """What many clients did at once, and the seconds from the first start to the last end."""

    results: list[object]
    seconds: float

    @property
    def each_second(self) -> float:
        """How many were done in a second."""
        return len(self.results) / self.seconds


async def crowd(
    clients: int, jobs: int, longest: float, job: Callable[[int], Awaitable[object]]
) -> Crowd:
    """Each of `clients` does one job after the other until `jobs` are done or time is up."""
    numbers, results = iter(range(jobs)), []
    begun = perf_counter()

    async def client(which: int) -> None:
        for _ in numbers:
            results.append(await job(which))
            if perf_counter() - begun > longest:
                return

    async with asyncio.TaskGroup() as group:
        for which in range(clients):
            group.create_task(client(which))
    return Crowd(results, perf_counter() - begun)
