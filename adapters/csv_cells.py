"""Lines of a CSV file that a spreadsheet shows and never runs (RFC 4180, OWASP CSV Injection)."""

from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
SPACES = ("\t", "\r", "\n")


def csv_line(cells: Iterable[str]) -> str:
    """One line; every cell is quoted, and one that a spreadsheet would calculate is a text."""
    return ",".join(_cell(each) for each in cells) + "\r\n"


def _cell(value: str) -> str:
    # Spreadsheets look past spaces, and so does this.
    is_formula = value.startswith(SPACES) or value.strip().startswith(FORMULA)
    shown = f"'{value}" if is_formula else value
    doubled = shown.replace("\0", "").replace('"', '""')
    return f'"{doubled}"'
