"""The rows as an aligned table."""

from collections.abc import Iterable, Sequence

from benchmarks.figures import Row

HEAD = ("", "unit", "floor", "ours", "ratio", "goal", "met")
ANSWERS = {True: "yes", False: "NO", None: ""}
LEFT = frozenset({0, 1, 5, 6})
"""The columns of words; figures are aligned to the right."""


def table(rows: Sequence[Row]) -> str:
    """All rows under one head, then what missed its goal."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD))]
    lines = [_line(line, widths) for line in cells]
    rule = "─" * len(lines[0])
    return "\n".join(
        [lines[0].rstrip(), rule, *(each.rstrip() for each in lines[1:]), *_missed(rows)]
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.unit,
        _figure(row.floor),
        _figure(row.ours),
        _figure(row.ratio),
        row.goal.words if row.goal else "",
        ANSWERS[row.met],
    )


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    if value == int(value) and value >= 10:
        return str(int(value))
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        text.ljust(width) if at in LEFT else text.rjust(width)
        for at, (text, width) in enumerate(zip(cells, widths, strict=True))
    )


def _missed(rows: Iterable[Row]) -> Iterable[str]:
    missed = [row for row in rows if row.met is False]
    if missed:
        yield "\nNot met:"
    for row in missed:
        goal = row.goal.words if row.goal else ""
        yield f"  {row.name}: {_figure(row.ratio) or _figure(row.ours)}, goal {goal}"
