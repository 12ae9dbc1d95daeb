"""What lies over the pages of a PDF: made a part of them (ISO 32000-2, 12.5 and 12.7).

An annotation that says how it looks becomes content of its page. One that does not is drawn by each
reader in its own way, or by none: no picture of it is what somebody else will see.
"""

import re
from collections.abc import Iterator
from typing import Any, cast

from pikepdf import AcroForm, AcroFormField, Annotation, Array, Dictionary, Name, Pdf, Stream

from adapters.pdf_overlay import bare

_DEEPEST_FIELD = 32
_INVISIBLE, _HIDDEN, _NO_VIEW = 1, 2, 32
_NEVER_SEEN = frozenset(["/Link", "/Popup"])
"""Where a click leads, and the window of a note: nothing of them is meant to stand on the page."""
_LOOKS = ("/BG", "/BC", "/CA", "/RC", "/AC", "/I", "/RI", "/IX")
"""Of a button or field: its ground, its edge, its words and icons (12.5.6.19)."""
_COMBO = 1 << 17
_FONT = re.compile(rb"/([^\s/<>\[\]()]+)\s+-?[\d.]+\s+Tf\b")


def made_part_of_pages(pdf: Pdf) -> bool:
    """Leaves nothing over the pages; False, and the rest undone, if something has no look to take.

    What is shown in print only, or never, is taken away.
    """
    seen = [each for page in pdf.pages for each in _over(page.obj) if _is_seen(each)]
    form, is_outdated = pdf.acroform, pdf.acroform.needs_appearances
    if any(_has_own_look(each.obj) for each in seen if not _is_drawn(each)):
        return False
    _lend_fonts(pdf, seen)
    if is_outdated:
        pdf.generate_appearance_streams()
    if not all(_is_shown_whole(form, each, is_outdated=is_outdated) for each in seen):
        return False
    for each in seen:
        # Meant for kinds that a reader does not know; ours would leave out those it knows, too.
        each.obj[Name.F] = each.flags & ~_INVISIBLE
    pdf.flatten_annotations("screen")
    bare(pdf)
    return True


def _over(page: Dictionary) -> Iterator[Annotation]:
    listed = page.get("/Annots")
    for each in cast("list[Any]", listed) if isinstance(listed, Array) else []:
        if isinstance(each, Dictionary):
            yield Annotation(each)


def _is_seen(note: Annotation) -> bool:
    return str(note.obj.get("/Subtype")) not in _NEVER_SEEN and not note.flags & (
        _HIDDEN | _NO_VIEW
    )


def _is_drawn(note: Annotation) -> bool:
    """Whether it says how it looks, and where; also that it looks like nothing as it stands."""
    look = note.get_appearance_stream(Name.N)
    if isinstance(look, Stream):
        return _is_box(look.get("/BBox")) and _is_box(note.obj.get("/Rect"))
    looks = note.obj.get("/AP")
    has_states = isinstance(looks, Dictionary) and isinstance(looks.get("/N"), Dictionary)
    # Of a box that was ticked some readers believe the value, where no state is said.
    return has_states and ("/AS" in note.obj or not _is_something(_inherited(note.obj, "/V")))


def _is_box(value: Any) -> bool:
    return isinstance(value, Array) and len(value) == 4


def _has_own_look(note: Any) -> bool:
    """Whether a reader would draw it, whatever its value, although it does not say how."""
    if note.get("/Subtype") != Name.Widget:
        return True
    looks = note.get("/MK")
    return isinstance(looks, Dictionary) and any(_is_something(looks.get(each)) for each in _LOOKS)


def _is_something(value: Any) -> bool:
    if value is None or value == Name.Off:
        return False
    return len(value) > 0 if isinstance(value, Array) else str(value) != ""


def _is_shown_whole(form: AcroForm, note: Annotation, *, is_outdated: bool) -> bool:
    """Whether what it holds is in its look; a field that has none gets one, if it is of text."""
    if note.obj.get("/Subtype") != Name.Widget or (_is_drawn(note) and not is_outdated):
        return True
    field = form.get_field_for_annotation(note)
    if not (field.is_text or field.is_choice):
        return _is_drawn(note) or not _holds_something(note.obj)
    if not _font(field):
        return not _holds_something(note.obj)
    if not _is_drawn(note):
        field.generate_appearance(note)
    return _has_its_words(field, note)


def _has_its_words(field: AcroFormField, note: Annotation) -> bool:
    """Whether a font had all the letters: there are question marks for others, and no lines."""
    look = note.get_appearance_stream(Name.N)
    if not isinstance(look, Stream):
        return not _holds_something(note.obj)
    if not field.is_text:
        return True
    words = field.value_as_string
    return look.read_bytes().count(b"?") == words.count("?") and len(words.splitlines()) <= 1


def _holds_something(note: Any) -> bool:
    """A value that readers show: words, a tick, or what can be chosen from."""
    if _is_something(_inherited(note, "/V")):
        return True
    flags = _inherited(note, "/Ff")
    is_combo = isinstance(flags, int) and bool(flags & _COMBO)
    is_list = _inherited(note, "/FT") == Name.Ch and not is_combo
    return is_list and _is_something(_inherited(note, "/Opt"))


def _inherited(field: Any, key: str) -> Any:
    for _ in range(_DEEPEST_FIELD):
        if key in field:
            return field[key]
        if not isinstance(field.get("/Parent"), Dictionary):
            break
        field = field["/Parent"]
    return None


def _font(field: AcroFormField) -> str:
    """The name of the font that a field's words are to be written in; "" without."""
    found = _FONT.search(field.default_appearance)
    return f"/{found[1].decode('latin-1')}" if found else ""


def _lend_fonts(pdf: Pdf, notes: list[Annotation]) -> None:
    """Helvetica for each name that stands for no font: readers would not take the same."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, Dictionary):
        return
    names = {_font(pdf.acroform.get_field_for_annotation(each)) for each in notes} - {""}
    held = form.get("/DR")
    resources = held if isinstance(held, Dictionary) else Dictionary()
    fonts = resources.get("/Font")
    kept = fonts if isinstance(fonts, Dictionary) else Dictionary()
    for each in sorted(name for name in names if name not in kept):
        kept[each] = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type1,
                BaseFont=Name.Helvetica,
                Encoding=Name.WinAnsiEncoding,
            )
        )
    resources[Name.Font] = kept
    form[Name.DR] = resources
