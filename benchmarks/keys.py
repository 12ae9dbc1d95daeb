"""Rotating the key of a workspace: how fast its data keys are wrapped anew."""

from time import perf_counter
from uuid import uuid4

from benchmarks.bench import Bench
from benchmarks.figures import Row
from commands.rotation import rewrap, rotate_workspace
from store.sealed import Owner, OwnerKind, key_of

AT_ONCE = 200


async def rows(bench: Bench) -> list[Row]:
    """One rotation, of the keys that everything so far made and of as many more as planned."""
    office = bench.office
    for _ in range(0, bench.plan.keys, AT_ONCE):
        async with office.begin.work() as work:
            for _ in range(AT_ONCE):
                owner = Owner(office.workspace_id, uuid4(), OwnerKind.PARTY)
                await key_of(work.db, owner)
    async with office.begin.work() as work:
        await rotate_workspace(work, office.workspace_id)
    begun, done = perf_counter(), 0
    async for progress in rewrap(office.begin, office.workspace_id):
        done = progress.done
    return [Row("rotation: data keys wrapped anew", "1/s", done / (perf_counter() - begun))]
