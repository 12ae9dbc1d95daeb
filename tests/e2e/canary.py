"""Strings that occur nowhere else, and the search for them in whatever form they may lie."""

import base64
import mmap
import random
import string
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from quopri import encodestring
from urllib.parse import quote

ACCENTED = "äöüßéøñçþ"
AROUND = 60
"""Bytes that are shown before and behind what was found."""


class Canaries:
    """Unique texts; each begins with one of this run's marks, which is what is searched for."""

    def __init__(self) -> None:
        made = random.SystemRandom()
        letters = string.ascii_lowercase
        self._word = "cn" + "".join(made.choices(letters, k=12))
        self._accented = "kä" + "".join(made.choices(ACCENTED, k=6))
        # Nine digits: fewer do occur by chance among a run's millions of digits.
        self._digits = str(made.randint(10**8, 10**9 - 1))
        self._dates: list[str] = []
        self.minted: dict[str, str] = {}
        """Where each was typed, by its text."""

    def word(self, where: str) -> str:
        """Lower-case letters, then four digits: good for names, addresses, and every text."""
        return self._mint(where, f"{self._word}{len(self.minted):04}")

    def accented(self, where: str) -> str:
        """The same with letters that are no ASCII."""
        return self._mint(where, f"{self._accented}{len(self.minted):04}")

    def number(self, where: str) -> str:
        """Thirteen digits."""
        return self._mint(where, f"{self._digits}{len(self.minted):04}")

    def date(self, where: str) -> str:
        """A day of the nineteenth century."""
        made = random.SystemRandom()
        day = f"18{made.randint(10, 99)}-{made.randint(1, 12):02}-{made.randint(1, 28):02}"
        self._dates.append(day)
        return self._mint(where, day)

    def _mint(self, where: str, text: str) -> str:
        assert text not in self.minted
        self.minted[text] = where
        return text

    @property
    def needles(self) -> dict[bytes, str]:
        """Everything to search for, and the form it is in."""
        marks = [self._word, self._accented, self._digits, *self._dates]
        return {needle: form for mark in marks for needle, form in forms_of(mark)}


def forms_of(text: str) -> Iterator[tuple[bytes, str]]:
    """The bytes that a text may lie in, so that it can be read by whoever finds them."""
    for plain in {text, text.upper(), *(unicodedata.normalize(f, text) for f in ("NFD", "NFKD"))}:
        yield plain.encode(), "UTF-8"
    for name in ("utf-16-le", "utf-16-be", "utf-32-le", "latin-1"):
        yield text.encode(name, "ignore"), name
    raw = text.encode()
    yield from ((each, "base64") for each in _base64(raw))
    yield from ((raw.hex().encode(), "hex"), (raw.hex().upper().encode(), "hex"))
    if not text.isascii():
        yield from _escaped(text)


def _base64(raw: bytes) -> Iterator[bytes]:
    """What of it does not depend on its neighbours, at each of the three places it may begin."""
    for before, begins in enumerate((0, 2, 3)):
        whole = (before + len(raw)) * 8 // 6
        for alphabet in (None, b"-_"):
            yield base64.b64encode(bytes(before) + raw, alphabet)[begins:whole]


def _escaped(text: str) -> Iterator[tuple[bytes, str]]:
    escaped = "".join(each if each.isascii() else f"\\u{ord(each):04x}" for each in text)
    for each in (escaped, escaped.upper().replace("\\U", "\\u")):
        yield each.encode(), "JSON"
    yield from ((quote(text).encode(), "URL"), (quote(text).lower().encode(), "URL"))
    yield text.encode("ascii", "xmlcharrefreplace"), "HTML"
    yield encodestring(text.encode()).rstrip(b"=\n"), "quoted-printable"
    yield repr(text.encode())[2:-1].encode(), "Python"
    yield "".join(f"\\{each:03o}" for each in text.encode()).encode(), "octal"


@dataclass(frozen=True, slots=True)
class Found:
    """Where one was found, in which form, and what is around it."""

    place: str
    form: str
    around: bytes


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for the same needles in many places."""

    needles: dict[bytes, str]

    def in_bytes(self, raw: bytes | mmap.mmap, place: str) -> Iterator[Found]:
        """The first of each needle."""
        for needle, form in self.needles.items():
            at = raw.find(needle)
            if at >= 0:
                yield Found(place, form, raw[max(0, at - AROUND) : at + len(needle) + AROUND])

    def in_texts(self, texts: Iterable[str], place: str) -> Iterator[Found]:
        """As in bytes."""
        return self.in_bytes("\n".join(texts).encode(), place)

    def in_file(self, path: Path) -> Iterator[Found]:
        """In its name and in its bytes; a file that is gone by now has none."""
        yield from self.in_bytes(bytes(path), f"the name of {path}")
        try:
            with path.open("rb") as file:
                # An empty file cannot be mapped.
                if file.seek(0, 2):
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
                        yield from self.in_bytes(raw, str(path))
        except FileNotFoundError:
            return

    def in_folder(self, folder: Path) -> Iterator[Found]:
        """In every file below it; raises `AssertionError` where there is nothing to search."""
        files = [each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()]
        assert files, f"there is nothing in {folder}"
        for each in files:
            yield from self.in_file(each)
