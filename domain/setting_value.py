"""Values of settings as they are written outside: lengths of time are seconds; and their faults."""

from datetime import timedelta
from typing import Any

from domain.exit_url import exit_url_fault
from domain.setting import Setting

LONGEST_TEXT = 200


def plain_value(value: Any) -> Any:
    """A value as it is written outside: lengths of time are seconds."""
    if not isinstance(value, timedelta):
        return value
    seconds = value.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def read_value(setting: Setting, plain: Any) -> Any:
    """A plain value that has no fault, as a field of `Settings` takes it."""
    return timedelta(seconds=plain) if setting.unit == "seconds" else plain


def fault_of(setting: Setting, plain: Any) -> str | None:
    """What is wrong with a plain value, with the limits; None if nothing is."""
    if setting.unit == "switch":
        return None if isinstance(plain, bool) else "must be on or off"
    if setting.unit == "text":
        return _text_fault(setting, plain)
    if setting.unit == "address":
        return exit_url_fault(plain)
    # A switch is an int to Python, and to nobody else.
    if not isinstance(plain, int) or isinstance(plain, bool):
        return "must be a whole number"
    low, high = plain_value(setting.minimum), plain_value(setting.maximum)
    return None if low <= plain <= high else f"must be from {low} to {high} {setting.unit}"


def _text_fault(setting: Setting, plain: Any) -> str | None:
    if not isinstance(plain, str) or not 1 <= len(plain) <= LONGEST_TEXT:
        return f"must be a text of 1 to {LONGEST_TEXT} characters"
    if setting.choices and plain not in setting.choices:
        return f"must be one of {', '.join(setting.choices)}"
    return None
