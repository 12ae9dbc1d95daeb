"""What sealing costs: a row by itself, and its share of a completion."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from adapters.aead import new_key, new_number
from adapters.data_key import DataKey
from benchmarks import party
from benchmarks.bench import Bench
from benchmarks.figures import Row, at_most_of_floor, median
from commands.capture import Posted
from commands.room import CompleteTask, Visitor, complete_task

ROWS = 2000
CONTENT = b'{"answer": "Bags and boxes of recycled linen, printed to order"}'.ljust(1024)
PLACE = ("submission", "sealed", str(uuid4()))
TYPED: Mapping[str, Mapping[str, Any]] = {
    "contact": {"company": "Supplier Ltd", "phone": "+351 21 000 0000", "remarks": "Call first."},
    "offer": {"products": "Paper, ink and string", "lead_time_days": 14},
    "conduct": {"agreed": True},
    "correct": {"agreed": True},
}
"""The values of `party.ANSWERS` as they are once a form was read."""


@dataclass(slots=True)
class Spent:
    """Seconds within a few functions."""

    seconds: float = 0.0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; its time is added."""

        def timing(*given: Any) -> Any:
            begun = perf_counter()
            try:
                return function(*given)
            finally:
                self.seconds += perf_counter() - begun

        return timing


async def rows(bench: Bench) -> list[Row]:
    """Single rows, then completions in this process."""
    whole, sealing = list[float](), list[float]()
    await bench.quiet()
    for _ in range(bench.plan.alone):
        await _completions(bench, whole, sealing)
    await bench.quiet()
    seal, opened = _alone()
    return [
        Row("seal the contents of a row, 1 KiB", "µs", seal * 1e6),
        Row("open the contents of a row, 1 KiB", "µs", opened * 1e6),
        Row(
            "of a completion: sealing and opening; floor: its transaction",
            "ms",
            1000 * median(sealing),
            1000 * median(whole),
            at_most_of_floor(0.1),
        ),
    ]


def _alone() -> tuple[float, float]:
    """Seconds to seal one row, and to open it again."""
    key = DataKey(uuid4(), uuid4(), new_number(), new_key())
    begun = perf_counter()
    records = [key.seal(PLACE, CONTENT) for _ in range(ROWS)]
    sealed = perf_counter()
    for each in records:
        key.open(PLACE, each or b"")
    return (sealed - begun) / ROWS, (perf_counter() - sealed) / ROWS


async def _completions(bench: Bench, whole: list[float], sealing: list[float]) -> None:
    """A session whose tasks this process completes, by the command that the API calls."""
    browser, begin = bench.browsers[0], bench.office.begin
    session = await party.verified(browser, bench.office)
    visitor = _visitor(browser.cookies, session)
    for task, values in TYPED.items():
        posted = Posted(values, "en", str)
        with _sealing_timed() as spent:
            begun = perf_counter()
            async with begin.work() as work:
                await complete_task(work, visitor, CompleteTask(task, posted))
            whole.append(perf_counter() - begun)
        sealing.append(spent.seconds)


def _visitor(cookies: Mapping[str, str], session: UUID) -> Visitor:
    (secret,) = [value for name, value in cookies.items() if session.hex in name]
    return Visitor(session, secret)


@contextmanager
def _sealing_timed() -> Iterator[Spent]:
    """Adds up what data keys do meanwhile, in this process alone."""
    spent = Spent()
    with (
        patch.object(DataKey, "seal", spent.timed(DataKey.seal)),
        patch.object(DataKey, "open", spent.timed(DataKey.open)),
        patch.object(DataKey, "blind", spent.timed(DataKey.blind)),
    ):
        yield spent
