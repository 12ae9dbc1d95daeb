"""What a person reads of uploads: sizes, and why a file is not taken."""

import math
import re
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
    translate = translations_for(locale).gettext
    given = {each: _in_words(getattr(refusal, each), translate) for each in ("limit", "given")}
    return _WORDS[refusal.reason](translate) % given


Translate = Callable[[str], str]

_NUMBER = re.compile(r"\d+")


def _in_words(text: str, translate: Translate) -> str:
    """A limit, or what was given, in the person's language, if it is more than a name or a size."""
    known = _phrases(translate).get(_NUMBER.sub("#", text))
    numbers = iter(_NUMBER.findall(text))
    return re.sub("#", lambda _: next(numbers), known) if known else text


def _phrases(_: Translate) -> dict[str, str]:
    """What checks say beside names and sizes; each number is a `#`."""
    return {
        "other content": _("something else"),
        "NUL": _("something else"),
        "another Office format": _("another Office format"),
        "more": _("more"),
        "# MB unpacked": _("# MB unpacked"),
        "# entries": _("# entries"),
        "# bytes as stated": _("# bytes as stated"),
        "no overlapping entries": _("no overlapping entries"),
        "overlapping entries": _("overlapping entries"),
        "archives inside as ZIP": _("archives inside as ZIP"),
        "another archive": _("another archive"),
        "archives # deep": _("archives # deep"),
        "# deep": _("# deep"),
        "# megapixels, # pixels a side": _("# megapixels, # pixels a side"),
        "# × # pixels": _("# × # pixels"),
    }


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
        "Not uploaded: by its name this file is %(limit)s, but it contains %(given)s. Save it again"
        " in that format."
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
        "Not uploaded: unpacked, the file is more than we can check. Possible: %(limit)s. Found:"
        " %(given)s."
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
