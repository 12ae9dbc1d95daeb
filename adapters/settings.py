"""Reads the catalogue of `domain/settings.py` from the environment."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import timedelta
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from domain.exit_url import exit_url_fault
from domain.settings import Settings

PREFIX = "GATEPASS_"


class SettingsError(Exception):
    """One or more settings are unusable; the text names each with its limit."""


def variable_of(attribute: str) -> str:
    """The environment variable of a `Settings` attribute."""
    return PREFIX + attribute.upper()


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from `GATEPASS_…` variables, defaults for the rest.

    Raises `SettingsError` naming every variable that is unknown, unreadable or out of its limits.
    """
    hints = get_type_hints(Settings)
    by_variable = {variable_of(each.name): each for each in fields(Settings)}
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable, raw in environ.items():
        if not variable.startswith(PREFIX):
            continue
        found = by_variable.get(variable)
        if found is None:
            faults.append(f"{variable} is not a setting")
            continue
        try:
            value = _read(raw, hints[found.name])
        except ValueError:
            faults.append(f"{variable}={raw!r} is not {found.metadata['unit']}")
            continue
        fault = _out_of_limits(variable, value, found.metadata)
        if fault:
            faults.append(fault)
        values[found.name] = value
    if faults:
        raise SettingsError("; ".join(faults))
    return Settings(**values)


def _read(raw: str, kind: Any) -> Any:
    """A number of seconds or an ISO 8601 duration for lengths of time, the plain reading else."""
    if kind is timedelta:
        with suppress(ValueError):
            return timedelta(seconds=float(raw))
    return TypeAdapter(kind).validate_python(raw)


def _out_of_limits(variable: str, value: Any, metadata: Mapping[str, Any]) -> str | None:
    low, high = metadata["low"], metadata["high"]
    if metadata["unit"] == "address" and (fault := exit_url_fault(value)):
        return f"{variable} {fault}"
    if low is not None and not low <= value <= high:
        return f"{variable} must be from {_shown(low)} to {_shown(high)}, got {_shown(value)}"
    return None


def _shown(value: Any) -> str:
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else str(value)
