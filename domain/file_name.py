"""Names of uploaded files: made fit to be shown, and to be saved again under."""

import re
import unicodedata

from domain.upload import UploadReason, refused

LONGEST_NAME = 150
LONGEST_NAME_BYTES = 255
"""What file systems hold; 150 letters of some scripts would be more."""

_LONGEST_EXTENSION = 16
_MOST_MARKS = 4
# What Windows does not allow in names, and look-alikes of the separators.
_UNFIT = re.compile('[<>:"|?*\u2044\u2215\u2216\u29f5\u29f8\ufe68\uff0f\uff3c]|%(?=[0-9A-Fa-f]{2})')
# Microsoft, "Naming Files, Paths, and Namespaces".
_RESERVED = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])\s*(\.|$)", re.IGNORECASE
)
_UNSEEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn"])
_SPACES = frozenset(["Zs", "Zl", "Zp"])
_EDGES = " ."


def clean_name(raw: str) -> str:
    """A safe name to show, of at most 150 characters in NFC, that keeps its extension.

    Only the last part of a path counts. Control characters, directions of writing (U+202E can
    make `exe.pdf` of `fdp.exe`), private and broken characters go, what Windows reserves becomes
    an underscore. Cleaning a clean name changes nothing. Raises `UploadRefused`
    (`name_unusable`) where nothing is left.
    """
    name = _shortened(_tidied(_visible(_last_part(raw))))
    if not name.strip("_ .-~"):
        raise refused(UploadReason.NAME_UNUSABLE, f"1 to {LONGEST_NAME} characters", _quoted(raw))
    return f"_{name}" if _RESERVED.match(name) else name


def _quoted(raw: str) -> str:
    return f"{raw[:20].encode('ascii', 'backslashreplace').decode()!a}"


def _last_part(raw: str) -> str:
    parts = [each for each in re.split(r"[/\\]", raw) if each.strip("\0\t\r\n .")]
    return parts[-1] if parts else ""


def _visible(name: str) -> str:
    """Without what cannot be seen, with plain spaces, and marks in runs of four at most."""
    kept: list[str] = []
    marks = 0
    for each in unicodedata.normalize("NFC", name):
        category = unicodedata.category(each)
        marks = marks + 1 if _is_mark(each) else 0
        if category in _SPACES:
            kept.append(" ")
        elif category not in _UNSEEN and marks <= _MOST_MARKS:
            kept.append(each)
    return unicodedata.normalize("NFC", "".join(kept))


def _tidied(name: str) -> str:
    spaced = re.sub(r"\s+", " ", _UNFIT.sub("_", name))
    start = 0
    while start < len(spaced) and (spaced[start] in f"{_EDGES}-~" or _is_mark(spaced[start])):
        start += 1
    return spaced[start:].rstrip(_EDGES)


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in {"Mn", "Me"}


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _LONGEST_EXTENSION:
        stem, ending = name, ""
    room = 1 + len(dot and ending) + 1  # the dot, and an underscore that may come in front
    stem = stem[: LONGEST_NAME - room]
    while len(f"_{stem}.{ending}".encode()) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    stem = stem.rstrip(_EDGES)
    return f"{stem}.{ending}" if ending else stem
