"""The form of a workspace's settings: each in a unit that people use, and what somebody typed.

What is read here is judged by `commands/setting.py`, as it is for the API.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.units import format_unit

from api.shapes.setting import SettingShape, Value
from commands.setting import refuse_faulty
from domain.exit_url import exit_url_fault
from domain.member_errors import SettingRefused
from domain.setting import SettingLevel

UNITS: Mapping[str, int] = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
STATED: Mapping[str, str] = {
    "session.idle_warning_after": "minutes",
    "session.warning_grace": "seconds",
    "session.absolute_timeout": "seconds",
    "login.lock": "minutes",
    "link.invitation": "minutes",
    "link.account": "minutes",
    "token.access": "seconds",
    "token.refresh": "days",
    "binding.idle": "minutes",
    "binding.grace": "seconds",
    "code.life": "minutes",
}
"""In which unit a length is asked for (SH-1, SH-7 to SH-10, EE-2); others in their largest."""
SECTIONS = ("session", "login", "password", "link", "token")
PARTY, OTHERS = "party", "other"
RESET = "reset"
SWITCH = {"on": True, "off": False}
NUMBER = re.compile(r"[0-9]{1,9}")
NUL = "\0"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form said: texts by name, and which settings go back to the installation's value."""

    texts: Mapping[str, str]
    resets: frozenset[str]

    @classmethod
    def of(cls, posted: Sequence[tuple[str, str]]) -> "Typed":
        """The fields of a posted form."""
        return cls(dict(posted), frozenset(value for name, value in posted if name == RESET))


NOTHING = Typed({}, frozenset())


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting as the form shows it: what is in its field, in which unit."""

    shape: SettingShape
    text: str
    unit: str
    is_reset: bool
    is_faulty: bool

    @property
    def id(self) -> str:
        """The name as an id of the page."""
        return self.shape.name.replace(".", "-")

    @property
    def address_fault(self) -> str:
        """Which fault an address has; "" for none."""
        fault = exit_url_fault(self.text.strip())
        return fault.name if fault else ""


@dataclass(frozen=True, slots=True)
class Read:
    """What a form wants: values by name as `change_settings` takes them, and what it refuses."""

    values: dict[str, Value]
    faulty: frozenset[str]


def read_form(shapes: Iterable[SettingShape], typed: Typed) -> Read:
    """Values that are not what counts already; a field that was not sent stays as it is."""
    values: dict[str, Value] = {}
    faulty = set()
    for shape in shapes:
        if shape.locked is not None:
            continue
        if shape.name in typed.resets:
            if shape.origin == "workspace":
                values[shape.name] = None
        elif shape.name in typed.texts:
            value = _value(shape, typed)
            if value == shape.value:
                # What counts already is nobody's fault here, even beyond what a form may set.
                continue
            if _is_refused(shape.name, value):
                faulty.add(shape.name)
            else:
                values[shape.name] = value
    return Read(values, frozenset(faulty))


def _value(shape: SettingShape, typed: Typed) -> Any:
    """What was typed as a value; the text itself where it is none."""
    text = typed.texts[shape.name].strip()
    if shape.unit == "switch":
        return SWITCH.get(text, text)
    if shape.unit == "text":
        return text
    if not NUMBER.fullmatch(text):
        return text
    factor = UNITS.get(typed.texts.get(_unit_field(shape.name), ""), 1)
    return int(text) * factor if shape.unit == "seconds" else int(text)


def _is_refused(name: str, value: Any) -> bool:
    if isinstance(value, str) and NUL in value:
        return True
    try:
        refuse_faulty({name: value})
    except SettingRefused:
        return True
    return False


def _unit_field(name: str) -> str:
    return f"{name}.unit"


def fields_of(
    shapes: Iterable[SettingShape], typed: Typed = NOTHING, faulty: frozenset[str] = frozenset()
) -> dict[str, list[SettingField]]:
    """The form's fields by section; what was typed is in them, whatever it is."""
    sections: dict[str, list[SettingField]] = {each: [] for each in (*SECTIONS, PARTY, OTHERS)}
    for shape in shapes:
        place = _section(shape)
        if place in SECTIONS or shape.locked is None:
            sections[place].append(_field(shape, typed, faulty))
    return {name: fields for name, fields in sections.items() if fields}


def _section(shape: SettingShape) -> str:
    section = shape.name.partition(".")[0]
    if section in SECTIONS:
        return section
    return PARTY if SettingLevel.SESSION in shape.levels else OTHERS


def _field(shape: SettingShape, typed: Typed, faulty: frozenset[str]) -> SettingField:
    unit = _unit(shape)
    text = _text(shape, unit)
    return SettingField(
        shape,
        typed.texts.get(shape.name, text),
        typed.texts.get(_unit_field(shape.name), unit),
        shape.name in typed.resets,
        shape.name in faulty,
    )


def _unit(shape: SettingShape) -> str:
    """The unit of a length: the stated one if that says it exactly, else the largest that does."""
    if shape.unit != "seconds" or not isinstance(shape.value, int):
        return ""
    stated = STATED.get(shape.name)
    wanted = ([stated] if stated else []) + list(UNITS)
    return next(each for each in wanted if shape.value % UNITS[each] == 0)


def _text(shape: SettingShape, unit: str) -> str:
    if isinstance(shape.value, bool):
        return "on" if shape.value else "off"
    if unit and isinstance(shape.value, int):
        return str(shape.value // UNITS[unit])
    return str(shape.value)


def length_in_words(seconds: float, locale: str) -> str:
    """A length exactly, in its units: "2 hours, 13 minutes, 20 seconds"."""
    left, said = int(seconds), []
    for unit, size in UNITS.items():
        number, left = divmod(left, size)
        if number:
            said.append(_in_words(number, unit, locale))
    return ", ".join(said) or _in_words(0, "seconds", locale)


def _in_words(number: int, unit: str, locale: str) -> str:
    return format_unit(number, f"duration-{unit[:-1]}", length="long", locale=locale)
