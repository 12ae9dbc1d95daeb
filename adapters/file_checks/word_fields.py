"""Fields of Word documents: which of them start a program elsewhere (DDE).

A field's instruction stands in one attribute or in pieces between two marks, and may have fields in
it that make a part of it. (ECMA-376, part 1, 17.16)
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, dropwhile
from xml.parsers import expat

_XML = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DDE = re.compile(r'[\s"]*DDE', re.IGNORECASE)
_NAMED = re.compile(r"\s*(=|\S+\s)")
"""What stands before an inner field: without a whole name the inner one could make the name."""
_INSTRUCTIONS = frozenset(["instrText", "delInstrText"])


def has_dde(part: Iterator[bytes]) -> bool:
    """Whether a part of a document has such a field, or one whose name cannot be told.

    What is no XML has none; of broken XML what comes before the break is looked at.
    """
    pieces = dropwhile(lambda each: not each.strip(), part)
    first = next(pieces, b"")
    if not first.lstrip().startswith(_XML):
        return False
    fields = _Fields()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = fields.start
    parser.CharacterDataHandler = fields.text
    parser.EndElementHandler = fields.end
    with suppress(expat.ExpatError):
        for each in chain([first], pieces):
            parser.Parse(each)
        parser.Parse(b"", True)
    return fields.is_dde


@dataclass(slots=True)
class _Field:
    instruction: str = ""
    is_read: bool = False
    """Its result follows."""


@dataclass(slots=True)
class _Fields:
    """The fields that are open at one place of a document, outermost first."""

    is_dde: bool = False
    _open: list[_Field] = field(default_factory=list)
    _is_instruction: bool = False

    def start(self, name: str, given: Mapping[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "fldSimple":
                self._judge(_of(given, "instr"))
            case "fldChar":
                self._mark(_of(given, "fldCharType"))
            case known:
                self._is_instruction = known in _INSTRUCTIONS

    def text(self, text: str) -> None:
        if self._is_instruction and self._open and not self._open[-1].is_read:
            self._open[-1].instruction += text

    def end(self, _: str) -> None:
        self._is_instruction = False

    def _mark(self, kind: str) -> None:
        if kind == "begin":
            outer = self._open[-1] if self._open else None
            if outer and not outer.is_read and not _NAMED.match(outer.instruction):
                self.is_dde = True
            self._open.append(_Field())
        elif self._open:
            self._open[-1].is_read = True
            self._judge(self._open[-1].instruction)
            if kind == "end":
                self._open.pop()

    def _judge(self, instruction: str) -> None:
        self.is_dde = self.is_dde or _DDE.match(instruction) is not None


def _of(given: Mapping[str, str], name: str) -> str:
    found = (each for key, each in given.items() if key.rpartition(":")[2] == name)
    return next(found, "")
