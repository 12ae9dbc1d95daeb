"""Archives and office files: bombs, macros and odd entries are refused, the rest comes back."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import IO, cast
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.file_checks import archive
from adapters.file_checks.__main__ import judged
from adapters.file_checks.archive import rewritten
from adapters.file_checks.office import rewritten_docx, rewritten_xlsx
from adapters.file_checks.word_fields import has_dde
from domain.upload import UploadReason

MIB = 1024 * 1024


def zipped(entries: dict[str, bytes], method: int = ZIP_DEFLATED) -> bytes:
    into = BytesIO()
    with ZipFile(into, "w", method) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return into.getvalue()


def unzipped(raw: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(raw)) as opened:
        assert opened.testzip() is None
        return {each.filename: opened.read(each) for each in opened.infolist()}


def refusal_of(
    raw: bytes, rewrite: Callable[[bytes], bytes] = rewritten
) -> tuple[UploadReason, str, str]:
    refusal = judged(rewrite, raw)[0].refusal
    assert refusal
    return refusal.reason, refusal.limit, refusal.given


FILES = {"a.txt": b"hello", "d/": b"", "d/Grüße.bin": bytes(range(256)) * 4000, "empty": b""}


@pytest.mark.parametrize("method", [ZIP_DEFLATED, ZIP_STORED])
def test_an_archive_comes_back_with_the_same_files(method: int) -> None:
    # PS-40
    assert unzipped(rewritten(zipped(FILES, method))) == FILES


def test_times_and_rights_stay() -> None:
    into = BytesIO()
    with ZipFile(into, "w") as made:
        about = ZipInfo("run.sh", (2024, 2, 29, 13, 37, 42))
        about.external_attr = 0o100755 << 16
        made.writestr(about, b"x")
    with ZipFile(BytesIO(rewritten(into.getvalue()))) as opened:
        kept = opened.infolist()[0]
    assert (kept.date_time, kept.external_attr) == (about.date_time, about.external_attr)


def test_a_streamed_archive_with_sizes_behind_its_entries() -> None:
    into = BytesIO()

    class OneWay:
        """A socket knows no way back."""

        write, flush = into.write, into.flush

    with ZipFile(cast("IO[bytes]", OneWay()), "w", ZIP_DEFLATED) as made:
        made.writestr("a.txt", b"hello" * 100)
    raw = into.getvalue()
    assert b"PK\x07\x08" in raw
    kept = rewritten(raw)
    assert unzipped(kept) == {"a.txt": b"hello" * 100}
    assert b"PK\x07\x08" not in kept


def test_bytes_before_between_and_behind_are_gone() -> None:
    """Polyglots: a PDF or a script in the comment, between the entries or at the end."""
    into = BytesIO()
    with ZipFile(into, "w") as made:
        made.writestr("a.txt", b"hello")
        into.write(b"%PDF-1.7 <script>")
        made.start_dir = into.tell()
        made.writestr("b.txt", b"world")
        made.comment = b"<?php system() ?>"
    raw = into.getvalue()
    assert b"%PDF-" in raw
    kept = rewritten(raw)
    assert unzipped(kept) == {"a.txt": b"hello", "b.txt": b"world"}
    assert not any(each in kept for each in (b"%PDF-", b"<script>", b"<?php"))
    assert unzipped(rewritten(b"GIF89a/*" + zipped({"a": b"b"}))) == {"a": b"b"}


def nested(depth: int) -> bytes:
    raw = zipped({"leaf.txt": b"x"})
    for _ in range(depth):
        raw = zipped({f"{each}.zip": raw for each in range(3)})
    return raw


def test_archives_in_archives() -> None:
    # PS-40
    assert unzipped(rewritten(nested(1))).keys() == {"0.zip", "1.zip", "2.zip"}
    assert refusal_of(nested(2)) == (UploadReason.ARCHIVE_BOMB, "archives 1 deep", "2 deep")
    assert refusal_of(nested(5))[0] == UploadReason.ARCHIVE_BOMB


@pytest.mark.parametrize("before", [b"x", b"MZ" + bytes(70_000)])
@pytest.mark.parametrize("behind", [0, 65_535])
def test_an_archive_behind_something_else_is_one(before: bytes, behind: int) -> None:
    """A byte in front, or a program that unpacks itself; a comment behind."""

    def hidden(raw: bytes) -> bytes:
        with ZipFile(into := BytesIO(raw), "a") as made:
            made.comment = b"x" * behind
        return before + into.getvalue()

    assert rewritten(zipped({"setup.exe": hidden(zipped({"a": b"b"}))}, ZIP_STORED))
    two_deep = zipped({"setup.exe": hidden(zipped({"a.bin": hidden(nested(0))}, ZIP_STORED))})
    assert refusal_of(two_deep) == (UploadReason.ARCHIVE_BOMB, "archives 1 deep", "2 deep")
    bomb = zipped({"zeros": b"\0" * 8 * MIB})
    assert refusal_of(zipped({"setup.exe": hidden(bomb)}))[:2] == (
        UploadReason.ARCHIVE_BOMB,
        "100 : 1",
    )


def test_letters_of_an_archive_make_none() -> None:
    entries = {"a.bin": b"x" * 99 + b"PK\5\6" + b"x" * 99, "b.bin": b"PK\1\2" * 9}
    assert unzipped(rewritten(zipped(entries))) == entries


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c"])
def test_archives_that_are_not_looked_into(head: bytes) -> None:
    assert refusal_of(zipped({"x.dat": head + b"x" * 50}))[:2] == (
        UploadReason.ARCHIVE_BOMB,
        "archives inside as ZIP",
    )


def test_a_high_ratio_is_a_bomb() -> None:
    # PS-40
    raw = zipped({"zeros": b"\0" * 8 * MIB})
    reason, limit, given = refusal_of(raw)
    assert (reason, limit) == (UploadReason.ARCHIVE_BOMB, "100 : 1")
    assert int(given.split(" ")[0]) > 100
    assert unzipped(rewritten(zipped({"zeros": b"\0" * MIB}))), "small files may be packed well"


def test_a_nested_high_ratio_is_a_bomb() -> None:
    inner = zipped({"zeros": b"\0" * 8 * MIB})
    assert refusal_of(zipped({"inner.zip": inner}))[:2] == (UploadReason.ARCHIVE_BOMB, "100 : 1")


def test_the_sum_of_all_entries_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_EXPANDED", 3 * MIB + 50_000)
    piece = bytes(range(256)) * 4096
    assert rewritten(zipped({"a": piece, "b": piece, "c": piece}, ZIP_STORED))
    four = zipped({"a": piece, "b": zipped({"c": piece, "d": piece})}, ZIP_STORED)
    assert rewritten(four)
    more = zipped({"a": piece, "e": piece, "b": zipped({"c": piece, "d": piece})}, ZIP_STORED)
    assert refusal_of(more) == (UploadReason.ARCHIVE_BOMB, "3.1 MB unpacked", "more")


def test_entries_are_counted_through_all_archives() -> None:
    many = {f"{each}": b"" for each in range(1001)}
    assert len(unzipped(rewritten(zipped(dict(list(many.items())[:1000]) | {"x": b"y"})))) == 1001
    assert refusal_of(zipped(many | {"inner.zip": zipped(many)})) == (
        UploadReason.ARCHIVE_BOMB,
        "2000 entries",
        "2003",
    )


def overlapping(files: int = 20) -> bytes:
    """Full overlap: every name in the list points to one and the same packed content.

    Each header quotes the next one as stored bytes of a deflate stream (Fifield, 2019).
    """
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = kernel.compress(b"a" * 50_000) + kernel.flush()
    content, parts = b"a" * 50_000, packed
    crc_of: list[tuple[int, int, int]] = []
    header_of: list[tuple[bytes, bytes]] = []
    for number in reversed(range(files)):
        name = f"{number}".encode()
        header = struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, zlib.crc32(content), len(parts), len(content),
            len(name), 0,
        ) + name  # fmt: skip
        header_of.insert(0, (name, header))
        crc_of.insert(0, (zlib.crc32(content), len(parts), len(content)))
        quoted = b"\0" + struct.pack("<2H", len(header), len(header) ^ 0xFFFF)
        content, parts = header + content, quoted + header + parts
    body = parts[5:]
    central, at = b"", 0
    for (name, header), (crc, size, full) in zip(header_of, crc_of, strict=True):
        central += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, size, full, len(name),
            0, 0, 0, 0, 0, at,
        ) + name  # fmt: skip
        at += len(header) + 5
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, files, files, len(central), len(body), 0)
    return body + central + end


def test_overlapping_entries_are_a_bomb() -> None:
    # PS-40
    raw = overlapping()
    with ZipFile(BytesIO(raw)) as opened:  # it is an archive that others would unpack
        assert sum(each.file_size for each in opened.infolist()) > 20 * 50_000
    assert refusal_of(raw) == (
        UploadReason.ARCHIVE_BOMB,
        "no overlapping entries",
        "overlapping entries",
    )
    assert unzipped(rewritten(overlapping(1)))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "..",
        "C:\\x",
        "c:/x",
        "\\\\server\\x",
        "a\\..\\x",
        "a\nb",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    reason, limit, given = refusal_of(zipped({name: b"x"}))
    assert (reason, limit) == (UploadReason.NAME_UNUSABLE, "names inside the archive")
    assert given.isascii()


@pytest.mark.parametrize("name", ["a..b", "...", "..a/b", "a/..b", "a.:b"])
def test_names_that_only_look_like_it_are_taken(name: str) -> None:
    assert unzipped(rewritten(zipped({name: b"x"}))) == {name: b"x"}


def test_a_link_is_refused() -> None:
    into = BytesIO()
    with ZipFile(into, "w") as made:
        about = ZipInfo("link")
        about.external_attr = 0o120777 << 16
        made.writestr(about, "/etc/passwd")
    assert refusal_of(into.getvalue())[0] == UploadReason.NAME_UNUSABLE


def patched(raw: bytes, signature: bytes, offset: int, value: int, size: int = 2) -> bytes:
    at = raw.index(signature) + offset
    return raw[:at] + value.to_bytes(size, "little") + raw[at + size :]


def test_an_encrypted_entry_is_refused() -> None:
    raw = patched(zipped({"a": b"x"}), b"PK\1\2", 8, 1)
    assert refusal_of(raw) == (UploadReason.ENCRYPTED_DOCUMENT, "no password", "password")
    assert refusal_of(patched(zipped({"a": b"x"}), b"PK\3\4", 6, 1))[0] == "encrypted_document"


LIES: dict[str, Callable[[bytes], bytes]] = {
    "crc": lambda raw: patched(raw, b"PK\1\2", 16, 1, 4),
    "larger": lambda raw: patched(raw, b"PK\1\2", 24, 4000, 4),
    "beyond the end": lambda raw: patched(raw, b"PK\1\2", 20, 1 << 20, 4),
    "other name": lambda raw: patched(raw, b"PK\3\4", 30, ord("b"), 1),
    "other method": lambda raw: patched(raw, b"PK\3\4", 8, 0),
    "no header": lambda raw: patched(raw, b"PK\3\4", 0, 0),
    "shorter": lambda raw: patched(raw, b"PK\1\2", 20, 10, 4),
    "longer": lambda raw: patched(raw, b"PK\1\2", 20, 60, 4),
    "broken": lambda raw: patched(raw, b"PK\3\4", 40, 0xFFFFFFFF, 4),
    "cut off": lambda raw: raw[:-10],
    "half": lambda raw: raw[: len(raw) // 2],
    "no archive": lambda raw: b"PK\3\4" + b"x" * 100,
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_stated_must_be_true(lie: str) -> None:
    raw = zipped({"a": bytes(range(200)) * 3})
    reason, limit, given = refusal_of(LIES[lie](raw))
    assert reason == UploadReason.DAMAGED
    assert limit
    assert given


def test_a_stated_size_that_is_too_small_is_a_bomb() -> None:
    raw = patched(zipped({"a": b"x" * 5000}), b"PK\1\2", 24, 10, 4)
    assert refusal_of(raw) == (UploadReason.ARCHIVE_BOMB, "10 bytes as stated", "more")


def test_other_methods_names_that_come_twice_and_nothing_at_all() -> None:
    assert refusal_of(zipped({"a": b"x"}, ZIP_BZIP2))[2] == "method 12"
    assert refusal_of(zipped({})) == (UploadReason.EMPTY, "1 entry", "0 entries")
    into = BytesIO()
    with ZipFile(into, "w") as made:
        made.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("a", b"2")
    assert refusal_of(into.getvalue())[2] == "a name twice"


@settings(max_examples=200)
@given(st.data())
def test_no_change_of_bytes_makes_the_check_fail(data: st.DataObject) -> None:
    raw = bytearray(zipped({"a.txt": b"hello" * 50, "b/c": b"x"}))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    verdict, kept = judged(rewritten, bytes(raw))
    if verdict.refusal is None:
        assert unzipped(kept)


TYPES = """<?xml version="1.0"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/x" ContentType="application/vnd.openxmlformats-officedocument.{}"/>{}
</Types>"""
MAIN = {"docx": "wordprocessingml.document.main+xml", "xlsx": "spreadsheetml.sheet.main+xml"}


def relations(kind: str, target: str, mode: str = "External") -> bytes:
    return f"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
    <Relationship Id="a" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"
     Target="{target}" TargetMode="{mode}"/></Relationships>""".encode()


def office(kind: str = "docx", more: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    folder = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}[kind]
    return zipped(
        {"[Content_Types].xml": TYPES.format(MAIN[kind], more).encode(), folder: b"<a/>"}
        | {"_rels/.rels": relations("officeDocument", folder, "Internal")}
        | (parts or {})
    )


OFFICE = {"docx": rewritten_docx, "xlsx": rewritten_xlsx}


@pytest.mark.parametrize("kind", OFFICE)
def test_office_files_come_back_whole(kind: str) -> None:
    # PS-40
    parts = {
        "word/_rels/document.xml.rels": relations("hyperlink", "https://example.org"),
        "word/embeddings/Microsoft_Excel_Sheet.xlsx": office("xlsx"),
        "word/media/image1.emz": b"\x1f\x8b\x08" + b"x" * 20,
        "xl/printerSettings/printerSettings1.bin": b"\0\1",
        "xl/externalLinks/externalLink1.xml": b"<externalLink><externalBook/></externalLink>",
    }
    raw = office(kind, parts=parts)
    assert unzipped(OFFICE[kind](raw)) == unzipped(raw)
    assert unzipped(rewritten(zipped({f"a.{kind}": raw}))).keys() == {f"a.{kind}"}


@pytest.mark.parametrize("kind", OFFICE)
@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ("", {"word/vbaProject.bin": b"x"}),
        ("", {"xl/VBAPROJECT.BIN": b"x"}),
        ("", {"word/activeX/activeX1.bin": b"x"}),
        ("", {"word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0"}),
        ("", {"word/embeddings/run.exe": b"MZ"}),
        ("", {"xl/macrosheets/sheet1.xml": b"<a/>"}),
        ("", {"word/_rels/settings.xml.rels": relations("attachedTemplate", "http://x/a.dotm")}),
        ("", {"word/_rels/document.xml.rels": relations("oleObject", "http://x/a.doc")}),
        ("", {"word/_rels/document.xml.rels": relations("frame", "http://x/")}),
        ("", {"word/_rels/settings.xml.rels": relations("mailMergeSource", "http://x/a.csv")}),
        ("", {"word/_rels/document.xml.rels": relations("soundOfNextYear", "http://x/")}),
        ("", {"word/_rels/document.xml.rels": relations("aFChunk", "a.html", "Internal")}),
        ("", {"xl/externalLinks/externalLink1.xml": b"<x:ddeLink ddeService='cmd'/>"}),
        ("", {"word/embeddings/a.docx": office("docx", parts={"word/vbaProject.bin": b"x"})}),
        ('<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>', {}),
        ('<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>', {}),
    ],
)
def test_what_acts_in_office_files_is_refused(
    kind: str, more: str, parts: dict[str, bytes]
) -> None:
    # PS-40
    reason, limit, given = refusal_of(office(kind, more, parts), OFFICE[kind])
    assert reason == UploadReason.ACTIVE_CONTENT
    assert limit.startswith("no")
    assert given


def test_the_main_part_tells_the_format() -> None:
    assert refusal_of(office("xlsx"), rewritten_docx)[0] == UploadReason.CONTENT_DIFFERS
    assert refusal_of(office("docx"), rewritten_xlsx)[0] == UploadReason.CONTENT_DIFFERS
    assert refusal_of(zipped({"a": b"b"}), rewritten_docx) == (
        UploadReason.CONTENT_DIFFERS,
        "Word (DOCX)",
        "ZIP",
    )


@pytest.mark.parametrize(
    "contents",
    [
        b"<Types",
        b"",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><Types>&a;</Types>",
        "<!DOCTYPE x><Types/>".encode("utf-16"),
    ],
)
def test_a_table_of_contents_that_cannot_be_read(contents: bytes) -> None:
    raw = zipped({"[Content_Types].xml": contents, "word/document.xml": b"<a/>"})
    assert refusal_of(raw, rewritten_docx)[0] == UploadReason.DAMAGED


def test_the_rules_of_archives_hold_for_office_files() -> None:
    bomb = office(parts={"word/media/a.bmp": b"\0" * 8 * MIB})
    assert refusal_of(bomb, rewritten_docx)[0] == UploadReason.ARCHIVE_BOMB
    deep = office(parts={"word/embeddings/a.zip": nested(2)})
    assert refusal_of(deep, rewritten_docx)[0] == UploadReason.ARCHIVE_BOMB


def begins(*instruction: str) -> str:
    pieces = "".join(f"<w:r><w:instrText>{each}</w:instrText></w:r>" for each in instruction)
    return f'<w:fldChar w:fldCharType="begin"/>{pieces}'


RESULT, END = '<w:fldChar w:fldCharType="separate"/>', '<w:fldChar w:fldCharType="end"/>'
SHOWN = "<w:t>DDE is an abbreviation</w:t>"
FIELDS = {
    "plain": (begins("DDEAUTO c:\\cmd.exe x") + END, True),
    "with a result": (begins(" dde cmd x ") + RESULT + SHOWN + END, True),
    "in pieces": (begins("D", "DEA", "UTO cmd") + END, True),
    "never ended": (begins("DDE cmd") + RESULT, True),
    "simple": ('<w:fldSimple w:instr=" DDEAUTO cmd "/>', True),
    "deleted": (begins() + "<w:delInstrText>DDE</w:delInstrText>" + END, True),
    "in a result": (begins("PAGE ") + RESULT + begins("DDE cmd") + END + END, True),
    "named by another": (begins() + begins("QUOTE 68 68 69") + END + END, True),
    "half named": (begins("D") + begins("QUOTE 68 69") + END + END, True),
    "a word": (SHOWN, False),
    "another": (begins("PAGE ") + RESULT + SHOWN + END, False),
    "simple other": ('<w:fldSimple w:instr="AUTHOR"/>', False),
    "a condition": (begins("IF ") + begins("MERGEFIELD a") + END + begins() + END, False),
    "a sum": (begins("=") + begins("PAGE") + END + END + END, False),
}


@pytest.mark.parametrize("each", FIELDS)
@pytest.mark.parametrize("name", ["word/document.xml", "elsewhere/header"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_fields_that_start_a_program_are_found(each: str, name: str, encoding: str) -> None:
    # PS-40
    fields, is_dde = FIELDS[each]
    verdict, _ = judged(
        rewritten_docx, office(parts={name: f"<w:p>{fields}</w:p>".encode(encoding)})
    )
    refused = verdict.refusal and (verdict.refusal.reason, verdict.refusal.given)
    assert refused == ((UploadReason.ACTIVE_CONTENT, "DDE") if is_dde else None)


def test_a_field_is_found_however_late_its_part_begins() -> None:
    half, rest = f"<w:p>{begins('DDE cmd')}{END}</w:p>".encode().split(b"DE")
    assert has_dde(iter([b"", b" " * 99, half, b"", b"DE" + rest]))


@pytest.mark.parametrize("part", [b"", b"no xml: DDE", b"<w:p><w:broken", b"\xff\xd8\xff DDE"])
def test_what_is_no_document_has_no_fields(part: bytes) -> None:
    assert not has_dde(iter([part]))
