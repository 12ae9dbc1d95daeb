"""Twenty clients at once: what the stack carries."""

from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from benchmarks import party
from benchmarks.bench import Bench, crowd
from benchmarks.figures import Row, at_least_of_floor, median, percentile, under
from benchmarks.processes import cpu_seconds


@dataclass(slots=True)
class Crowds:
    """A figure for each round, floors and ours in turn."""

    starts: list[float] = field(default_factory=list)
    issues: list[float] = field(default_factory=list)
    invited: list[float] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)
    only_tasks: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    mailed: list[float] = field(default_factory=list)
    bare_cpu: dict[str, float] = field(default_factory=dict)
    whole_cpu: dict[str, float] = field(default_factory=dict)
    bare_count: int = 0
    whole_count: int = 0


async def measure(bench: Bench, crowds: Crowds) -> None:
    """One round: each part until nothing of it is under way, then the next."""
    await _starts(bench, crowds)
    issued = await _issues(bench, crowds)
    await _tasks(bench, crowds, issued)
    await _bare(bench, crowds)
    await _whole(bench, crowds)


async def _starts(bench: Bench, crowds: Crowds) -> None:
    plan, handles = bench.plan, []

    async def start(_: int) -> None:
        handles.append(await bench.bare.start())

    done = await crowd(plan.crowd, plan.issues, plan.longest, start)
    crowds.starts.append(done.each_second)
    await crowd(plan.crowd, len(handles), plan.longest, lambda _: handles.pop().terminate())


async def _issues(bench: Bench, crowds: Crowds) -> list[UUID]:
    plan, issued = bench.plan, []

    async def issue(which: int) -> None:
        issued.append(await party.issue(bench.browsers[which], bench.office))

    begun = perf_counter()
    done = await crowd(plan.crowd, plan.issues, plan.longest, issue)
    crowds.issues.append(done.each_second)
    crowds.invited.append(len(issued) / (await bench.quiet() - begun))
    return issued


async def _tasks(bench: Bench, crowds: Crowds, issued: list[UUID]) -> None:
    """Every client verifies its share first; then all complete tasks, and nothing else."""
    plan, places = bench.plan, []

    async def verify(which: int) -> None:
        session, browser = issued.pop(), bench.browsers[which]
        browser.forget()
        await party.verify(browser, bench.office, session)
        places.append((session, dict(browser.cookies)))

    async def complete(which: int) -> None:
        session, cookies = places.pop()
        bench.browsers[which].cookies = cookies
        for task in party.ANSWERS:
            crowds.only_tasks.append(await party.complete(bench.browsers[which], session, task))

    await crowd(plan.crowd, len(issued), plan.longest, verify)
    await bench.quiet()
    await crowd(plan.crowd, len(places), plan.longest, complete)
    await bench.quiet()


async def _bare(bench: Bench, crowds: Crowds) -> None:
    plan, before = bench.plan, cpu_seconds(bench.stack.children)

    async def whole(_: int) -> None:
        await bench.bare.whole()

    done = await crowd(plan.crowd, plan.sessions, plan.longest, whole)
    crowds.bare.append(done.each_second)
    crowds.bare_count += len(done.results)
    _add(crowds.bare_cpu, before, cpu_seconds(bench.stack.children))


async def _whole(bench: Bench, crowds: Crowds) -> None:
    plan, before = bench.plan, cpu_seconds(bench.stack.children)

    async def whole(which: int) -> None:
        session, seconds = await party.whole_session(bench.browsers[which], bench.office)
        crowds.tasks.extend(seconds)
        await bench.advanced.seen(str(session))

    begun = perf_counter()
    done = await crowd(plan.crowd, plan.sessions, plan.longest, whole)
    crowds.whole.append(done.each_second)
    crowds.mailed.append(len(done.results) / (await bench.quiet() - begun))
    crowds.whole_count += len(done.results)
    _add(crowds.whole_cpu, before, cpu_seconds(bench.stack.children))


def _add(total: dict[str, float], before: dict[str, float], after: dict[str, float]) -> None:
    for name, used in after.items():
        total[name] = total.get(name, 0.0) + used - before[name]


def rows(crowds: Crowds, clients: int) -> list[Row]:
    """What twenty clients see, and what a session costs each process."""
    at = f"{clients} clients"
    starts, bare = median(crowds.starts), median(crowds.bare)
    return [
        Row(
            f"complete a task, {at}, p99",
            "ms",
            1000 * percentile(crowds.tasks, 99),
            goal=under(300),
        ),
        Row(f"complete a task, {at}, p50", "ms", 1000 * median(crowds.tasks)),
        Row(
            f"… when {clients} do nothing else, p99", "ms", 1000 * percentile(crowds.only_tasks, 99)
        ),
        Row(
            f"whole sessions, {at}; floor: bare signals",
            "1/s",
            median(crowds.whole),
            bare,
            at_least_of_floor(0.7),
        ),
        Row("… and every mail of them sent", "1/s", median(crowds.mailed), bare),
        Row(
            f"issue, {at}; floor: bare starts",
            "1/s",
            median(crowds.issues),
            starts,
            at_least_of_floor(0.8),
        ),
        Row("… and started, and its invitation sent", "1/s", median(crowds.invited), starts),
        *_cpu_rows(crowds),
    ]


def _cpu_rows(crowds: Crowds) -> list[Row]:
    bare = {"worker": crowds.bare_cpu["floor worker"]} | {
        name: crowds.bare_cpu[name] for name in ("PostgreSQL", "Temporal")
    }
    return [
        Row(
            f"CPU of a whole session: {name}",
            "ms",
            1000 * used / crowds.whole_count,
            1000 * bare[name] / crowds.bare_count if name in bare else None,
        )
        for name, used in crowds.whole_cpu.items()
        if name != "floor worker"
    ]
