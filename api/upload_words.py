"""What a person reads of uploads: sizes, and why a file is not taken."""

import math
from collections.abc import Callable

from babel.units import format_unit

from adapters.languages import translations_for
from domain.upload import UploadReason, UploadRefusal

UNITS = ("byte", "kilobyte", "megabyte")


def size_in_words(size: int, locale: str) -> str:
    """A number of bytes as the page's script writes it, rounded up: "4.2 MB"."""
    power = min(len(UNITS) - 1, int(math.log2(max(size, 1)) / 10))
    digits = 10 if power > 1 else 1
    amount = math.ceil(size / 1024**power * digits) / digits
    unit = f"digital-{UNITS[power]}"
    return str(
        format_unit(int(amount) if amount == int(amount) else amount, unit, "short", locale=locale)
    )


def refusal_in_words(refusal: UploadRefusal, locale: str) -> str:
    """Why a file is not taken, with its limit and what was given, and what to do about it."""
    text = _WORDS[refusal.reason](translations_for(locale).gettext)
    return text % {"limit": refusal.limit, "given": refusal.given}


Translate = Callable[[str], str]

_WORDS: dict[UploadReason, Callable[[Translate], str]] = {
    UploadReason.TOO_LARGE: lambda _: _(
        "Not uploaded: a file may have at most %(limit)s, and this one has %(given)s."
    ),
    UploadReason.TOO_MANY: lambda _: _(
        "Not uploaded: at most %(limit)s files are possible here, and this would be number"
        " %(given)s."
    ),
    UploadReason.KIND_NOT_ALLOWED: lambda _: _(
        "Not uploaded: this kind of file (%(given)s) is not possible here. Possible are %(limit)s."
    ),
    UploadReason.CONTENT_DIFFERS: lambda _: _(
        "Not uploaded: by its name this file is %(limit)s, but it contains something else. Save it"
        " again in that format."
    ),
    UploadReason.EMPTY: lambda _: _("Not uploaded: the file is empty."),
    UploadReason.ENCRYPTED_DOCUMENT: lambda _: _(
        "Not uploaded: the file can be opened with a password only. Save it without one."
    ),
    UploadReason.DAMAGED: lambda _: _(
        "Not uploaded: the file is damaged and cannot be read. Save it again, then choose it again."
    ),
    UploadReason.ACTIVE_CONTENT: lambda _: _(
        "Not uploaded: the file contains macros or other programs. Save it without them."
    ),
    UploadReason.ARCHIVE_BOMB: lambda _: _(
        "Not uploaded: unpacked, the file is larger than we can check (%(limit)s)."
    ),
    UploadReason.TOO_MANY_PIXELS: lambda _: _(
        "Not uploaded: the picture has %(given)s, and at most %(limit)s are possible."
    ),
    UploadReason.NAME_UNUSABLE: lambda _: _(
        "Not uploaded: the file's name cannot be used. Rename it, then choose it again."
    ),
    UploadReason.INFECTED: lambda _: _("Not uploaded: a virus was found in the file."),
    UploadReason.UNKNOWN_SLOT: lambda _: _(
        "Not uploaded: this page is out of date. Load it again, then choose the file again."
    ),
    UploadReason.SLOT_TAKEN: lambda _: _(
        "Not uploaded: there is a file here already. Remove it first, or replace it."
    ),
}
