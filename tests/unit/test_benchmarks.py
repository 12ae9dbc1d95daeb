"""The pure parts of `make bench`: percentiles, goals, the table, the counting of statements."""

import os
from dataclasses import dataclass
from mmap import PAGESIZE, mmap
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from adapters.audit_verify import verify_file
from benchmarks.evidence import _write_log
from benchmarks.figures import (
    Row,
    at_least_of_floor,
    at_most,
    at_most_of_floor,
    cropped,
    median,
    percentile,
    under,
    welch,
)
from benchmarks.plan import FULL, MIB, QUICK, Plan
from benchmarks.processes import Memory
from benchmarks.releases import _known_to
from benchmarks.sealing import Spent
from benchmarks.statements import count
from benchmarks.table import table
from benchmarks.uploads import _pieces
from domain.file_kind import FileKind, kind_of_content

if TYPE_CHECKING:
    from adapters.embedded.process import Child


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (1, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)]
)
def test_percentiles_are_samples_whatever_their_order(percent: float, expected: float) -> None:
    samples = [float(each) for each in range(100, 0, -1)]
    assert percentile(samples, percent) == expected


def test_the_99th_of_few_samples_is_the_slowest() -> None:
    assert percentile([5.0, 900.0, 6.0], 99) == 900.0
    assert median([5.0, 900.0, 6.0]) == 6.0


def test_the_slowest_are_cropped() -> None:
    assert cropped([float(each) for each in range(100, 0, -1)], 5) == list(range(1, 96))
    assert cropped([3.0, 1.0, 2.0], 5) == [1.0, 2.0, 3.0]


def test_means_are_apart_in_standard_errors() -> None:
    one, other = [1.0, 2.0, 3.0] * 10, [2.0, 3.0, 4.0] * 10
    assert welch(one, one) == 0
    assert welch(one, other) == pytest.approx(-4.6637, abs=0.0001)
    assert welch(other, one) == -welch(one, other)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("r", "ms", 4.0, 10.0, at_most_of_floor(0.4)), True),
        (Row("r", "ms", 4.1, 10.0, at_most_of_floor(0.4)), False),
        (Row("r", "1/s", 7.0, 10.0, at_least_of_floor(0.7)), True),
        (Row("r", "1/s", 6.9, 10.0, at_least_of_floor(0.7)), False),
        (Row("r", "ms", 300.0, goal=under(300)), False),
        (Row("r", "ms", 299.9, goal=under(300)), True),
        (Row("r", "events", 0.0, goal=at_most(0)), True),
        (Row("r", "events", 41.0, goal=at_most(40)), False),
        (Row("r", "ms", 4.0, goal=at_most_of_floor(0.4)), False),
        (Row("r", "ms", 4.0, 10.0), None),
    ],
)
def test_a_goal_is_met_up_to_its_limit(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_json_has_the_agreed_members() -> None:
    row = Row("complete", "ms", 4.0, 10.0, at_most_of_floor(0.4))
    assert row.as_json() == {
        "name": "complete",
        "unit": "ms",
        "floor": 10.0,
        "ours": 4.0,
        "ratio": 0.4,
        "goal": "≤ 0.4 × floor",
        "met": True,
    }
    bare = Row("statements", "count", 9).as_json()
    assert [bare[name] for name in ("floor", "ratio", "goal", "met")] == [None] * 4


def test_the_table_is_aligned_and_says_what_was_missed() -> None:
    rows = [
        Row("quick", "ms", 4.0, 10.0, at_most_of_floor(0.4)),
        Row("a slow one", "ms", 1234.5, goal=under(300)),
        Row("counted", "count", 9),
    ]
    head, rule, *lines = table(rows).splitlines()
    assert set(rule) == {"─"}
    floor = head.index("floor") + len("floor")
    assert lines[0][:floor].endswith(" 10")
    at = head.index("ours") + len("ours")
    assert [line[:at].split()[-1] for line in lines[:3]] == ["4.00", "1234.5", "9.00"]
    assert lines[0].endswith("yes")
    assert lines[1].endswith("NO")
    missed = lines[lines.index("Not met:") + 1 :]
    assert missed == ["  a slow one: 1234.5, goal < 300"]


def test_nothing_is_said_to_be_missed_when_all_is_met() -> None:
    assert "Not met" not in table([Row("quick", "ms", 1.0, goal=under(2))])


LOG = """\
gatepass-api|LOG:  statement: BEGIN
gatepass-api|LOG:  execute <unnamed>: SELECT public_session.id
\tFROM public_session WHERE id = $1 FOR UPDATE
gatepass-api|DETAIL:  Parameters: $1 = 'SELECT 1'
gatepass-api|LOG:  execute _pg3_0: INSERT INTO audit (id) VALUES ($1)
gatepass-api|LOG:  execute _pg3_1: UPDATE task SET completed_at=$1
gatepass-api|LOG:  statement: COMMIT
gatepass-api|LOG:  execute _pg3_2: UPDATE intent SET done_at=$1
gatepass-api|LOG:  execute <unnamed>: WITH changed AS (SELECT 1) SELECT 1
|LOG:  execute <unnamed>: SELECT intent.id FROM intent
"""


def test_statements_of_the_api_are_counted_and_nothing_else() -> None:
    assert count(LOG) == 4


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_there_are_parties_enough_for_every_session(plan: Plan) -> None:
    alone = plan.warm_up + plan.alone + len(("the floor's original", "heartbeats", "statements"))
    sealing, files = plan.alone, plan.files + len(("the small one before",))
    crowds = plan.rounds * (plan.issues + plan.sessions)
    assert plan.parties >= alone + sealing + files + crowds


def test_a_file_is_sent_whole_and_as_a_table() -> None:
    sent = list(_pieces(3 * MIB))
    assert sum(map(len, sent)) == 3 * MIB
    assert kind_of_content(b"".join(sent)[:65536]) in {FileKind.CSV, FileKind.TXT}


def test_time_within_functions_is_added_up_even_when_they_fail() -> None:
    spent = Spent()
    assert spent.timed(str.upper)("a") == "A"
    once = spent.seconds
    with pytest.raises(ValueError, match="invalid literal"):
        spent.timed(int)("x")
    assert spent.seconds > once > 0


def test_memory_is_measured_from_now_on() -> None:
    """Only where there is a /proc, as everywhere that the benchmark runs."""

    @dataclass(frozen=True)
    class Ourselves:
        pid: int = os.getpid()

    before = Memory.of(cast("Child", Ourselves()))
    # From the system itself: what this process freed before would be no growth.
    with mmap(-1, 64 * MIB) as held:
        for page in range(0, len(held), PAGESIZE):
            held[page] = 1
    assert 60 * MIB < before.growth < 200 * MIB
    assert Memory.of(cast("Child", Ourselves())).growth < 16 * MIB


def test_the_log_that_is_checked_is_a_whole_one(tmp_path: Path) -> None:
    """N10: what the verifier is timed with must be what it accepts, and be as long as it says."""
    path = tmp_path / "log.jsonl"
    _write_log(path, 100)
    assert verify_file(path).size == 100


def test_what_an_older_release_does_not_know_is_left_out() -> None:
    """Its settings refuse names they have not heard of."""
    root = Path(__file__).resolve().parents[2]
    known = {"PATH": os.environ["PATH"], "GATEPASS_LOG_LEVEL": "info"}
    assert _known_to(root, {**known, "GATEPASS_OF_THE_FUTURE": "1"}) == known
