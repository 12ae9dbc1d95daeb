"""Cells of a CSV file are texts, whatever they begin with (OWASP CSV Injection)."""

import csv
import io

import pytest

from adapters.csv_cells import csv_line
from domain.access import denial


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n1", " =1", "＝1", "＠a", "＋1", "－1"],
)
def test_what_would_calculate_is_a_text(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_line([text]), newline="")))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["", "Anna", 'say "so"', "a,b", "two\nlines", "1-1", "a=b"])
def test_everything_else_reads_as_it_is(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_line([text]), newline="")))
    assert cell == text


def test_a_line_ends_as_rfc_4180_has_it() -> None:
    assert csv_line(["a", "b\0"]) == '"a","b"\r\n'


@pytest.mark.parametrize(("length", "shown"), [(64, 80), (65, 80), (10, 26)])
def test_a_denial_is_cut_at_eighty_characters(length: int, shown: int) -> None:
    # EE-21
    text = denial("x" * length)
    assert text.startswith("Access Denied : x")
    assert len(text) == shown
