"""The table of settings in the operations manual is the catalogue.

`python -m tests.unit.test_settings_docs --write` brings it up to date.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import variable_of
from domain.setting import Setting, SettingLevel
from domain.settings import CATALOGUE

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: made by tests/unit/test_settings_docs.py -->", "<!-- /settings -->"
UNITS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000, "ms": 1}


def table() -> str:
    """The catalogue as a Markdown table."""
    titles = ("setting", "unit", "default", "from", "to", "meaning", "also by")
    head = f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|"
    return "\n".join((head, *(row_of(each) for each in CATALOGUE)))


def row_of(setting: Setting) -> str:
    """One setting as a row; one that may hold a password says so."""
    variable = variable_of(setting.name.replace(".", "_"))
    limits = (shown(setting.minimum), shown(setting.maximum))
    meaning = setting.meaning + ("; keep it secret" if setting.secret else "")
    also_by = ", ".join(setting.levels[1:])
    cells = (f"`{variable}`", setting.unit, shown(setting.default), *limits, meaning, also_by)
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def shown(value: Any) -> str:
    """A value as an administrator reads it, and may write it where it is not a length of time."""
    match value:
        case None:
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return length(value)
        case str():
            return f"`{value}`" if value else "empty"
        case _:
            return str(value)


def length(value: timedelta) -> str:
    """Seconds, and what they are in the largest unit that divides them."""
    milliseconds = value // timedelta(milliseconds=1)
    unit = next(each for each, size in UNITS.items() if milliseconds % size == 0)
    seconds = f"{value.total_seconds():g}" if unit == "ms" else str(milliseconds // 1000)
    return seconds if unit == "s" else f"{seconds} ({milliseconds // UNITS[unit]} {unit})"


def parts_of(manual: str) -> tuple[str, str, str]:
    """What stands before the table, the table, what stands after it."""
    before, rest = manual.split(BEGIN)
    within, after = rest.split(END)
    return before, within.strip(), after


def documented() -> Iterator[list[str]]:
    """The cells of each row in the manual."""
    _, within, _ = parts_of(MANUAL.read_text(encoding="utf-8"))
    for line in within.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def test_the_table_is_up_to_date() -> None:
    _, within, _ = parts_of(MANUAL.read_text(encoding="utf-8"))
    assert within == table(), "run: python -m tests.unit.test_settings_docs --write"


def test_every_setting_is_listed_once_with_unit_default_and_limits() -> None:
    rows = list(documented())
    assert [cells[0] for cells in rows] == [
        f"`{variable_of(each.name.replace('.', '_'))}`" for each in CATALOGUE
    ]
    for each, cells in zip(CATALOGUE, rows, strict=True):
        assert cells[1] == each.unit
        assert cells[2]
        assert bool(cells[3]) is bool(cells[4]) is (each.minimum is not None)
        assert each.meaning in cells[5]
        named = [SettingLevel(level) for level in cells[6].split(", ") if level]
        assert (SettingLevel.INSTALLATION, *named) == each.levels


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (timedelta(milliseconds=400), "0.4 (400 ms)"),
        (timedelta(seconds=45), "45"),
        (timedelta(minutes=90), "5400 (90 min)"),
        (timedelta(days=366), "31622400 (366 d)"),
        (False, "`false`"),
        (65536, "65536"),
        ("", "empty"),
    ],
)
def test_values_read_as_they_may_be_set(value: object, words: str) -> None:
    assert shown(value) == words


def write() -> None:
    """Puts the present catalogue into the manual."""
    before, _, after = parts_of(MANUAL.read_text(encoding="utf-8"))
    MANUAL.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.unit.test_settings_docs --write")
    write()
