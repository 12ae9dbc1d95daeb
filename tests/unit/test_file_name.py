import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.file_kind import FileKind, kind_of_name
from domain.file_name import LONGEST_NAME, LONGEST_NAME_BYTES, clean_name
from domain.upload import UploadReason, UploadRefused

RESERVED = ["CON", "PRN", "AUX", "NUL", "COM1", "COM9", "LPT1", "COM¹", "CONIN$", "nul", "Con"]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("Bericht Prüfung 2026.pdf", "Bericht Prüfung 2026.pdf"),
        ("Pru\u0308fung.pdf", "Prüfung.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\scan.pdf", "scan.pdf"),
        ("a/b/c/", "c"),
        ("%2e%2e%2fpasswd", "_2e_2e_2fpasswd"),
        ("50% off.pdf", "50% off.pdf"),
        ("invoice\0.exe.pdf", "invoice.exe.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("x.pdf.exe", "x.pdf.exe"),
        ("...hidden.pdf", "hidden.pdf"),
        ("-rf.pdf", "rf.pdf"),
        ("report.pdf. . .", "report.pdf"),
        ("report .pdf", "report.pdf"),
        ("  a \t b\n.txt ", "a b.txt"),
        ('a<b>:"c|?*.txt', "a_b___c___.txt"),
        ("a\u2044b\uff0fc.txt", "a_b_c.txt"),
        ("CON", "_CON"),
        ("con.pdf", "_con.pdf"),
        ("NUL.tar.gz", "_NUL.tar.gz"),
        ("CONTRACT.pdf", "CONTRACT.pdf"),
        ("COM10.pdf", "COM10.pdf"),
        ("😀.pdf", "😀.pdf"),
        ("a\ud800b.pdf", "ab.pdf"),
        ("日本語.pdf", "日本語.pdf"),
        ("z" + "\u0336" * 50 + ".pdf", "z" + "\u0336" * 4 + ".pdf"),
        ("\u0301abc.pdf", "abc.pdf"),
        (" \u0308a.txt", "a.txt"),
        ("a\u2028b.txt", "a b.txt"),
        ("a" * 4000 + ".pdf", "a" * 145 + ".pdf"),
        ("a" * 4000, "a" * 148),
        ("a." + "b" * 400, "a." + "b" * 146),
    ],
)
def test_names_become_fit_to_be_shown(raw: str, clean: str) -> None:
    # PS-40
    assert clean_name(raw) == clean


@pytest.mark.parametrize(
    "raw",
    ["", " ", "...", "/", "\\..\\", "\0\0", "\u202e\u200b", "???", "_", "\ud800", "\u0301", " . "],
)
def test_where_nothing_is_left_there_is_no_name(raw: str) -> None:
    with pytest.raises(UploadRefused) as caught:
        clean_name(raw)
    refusal = caught.value.refusal
    assert refusal.reason == UploadReason.NAME_UNUSABLE
    assert refusal.limit == "1 to 150 characters"
    assert refusal.given.isascii()


def odd_names() -> list[str]:
    """More than 300: every odd piece before, inside and behind a name, with endings."""
    pieces = [
        *("../", "..\\", "/etc/", "C:\\", "\\\\server\\share\\", "\0", "\r\n", "\x7f", "\x85"),
        *("\u202e", "\u2066", "\u200b", "\ufeff", ".", "..", "~", "-", " ", "\u00a0", "\u3000"),
        *("\u0301" * 40, "😀", "👨\u200d👩\u200d👧", "%00", "%2F", "%5c", "\ud800", "\udfff"),
        *("\uffff", "\ue000", "<script>", '"; rm -rf /', "|", "*", "'", "`id`", "$(id)"),
        *("a" * 4000, "日" * 200, "ﷺ", "\u2215", "\u1160"),
        *(f"{each}." for each in RESERVED),
    ]
    shapes = ["{}a.pdf", "a{}b.pdf", "a.pdf{}", "{}", "{}.PDF", "a.{}pdf", "{}.pdf.exe"]
    return [shape.format(each) for each, shape in itertools.product(pieces, shapes)]


def cleaned(raw: str) -> str | None:
    try:
        return clean_name(raw)
    except UploadRefused:
        return None


def check_safe(clean: str) -> None:
    assert 1 <= len(clean) <= LONGEST_NAME
    assert len(clean.encode()) <= LONGEST_NAME_BYTES
    assert unicodedata.is_normalized("NFC", clean)
    assert not set(clean) & set('/\\<>:"|?*')
    assert all(unicodedata.category(each)[0] != "C" for each in clean)
    assert clean[0] not in " .-~"
    assert clean[-1] not in " ."
    assert clean.partition(".")[0].rstrip().upper() not in {each.upper() for each in RESERVED}
    assert clean_name(clean) == clean


def test_three_hundred_odd_names_become_safe_or_are_refused() -> None:
    # PS-40
    names = odd_names()
    assert len(names) > 300
    kept = [clean for each in names if (clean := cleaned(each))]
    assert len(kept) > 290
    for clean in kept:
        check_safe(clean)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_any_text_becomes_safe_or_is_refused(raw: str) -> None:
    if clean := cleaned(raw):
        check_safe(clean)


@given(st.text(min_size=1, max_size=4000), st.sampled_from([*FileKind]))
def test_the_extension_is_kept(stem: str, kind: FileKind) -> None:
    ending = kind.extensions[0]
    clean = clean_name(f"x{stem.replace('/', '').replace(chr(92), '')}.{ending}")
    assert kind_of_name(clean) is kind
