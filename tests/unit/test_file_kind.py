import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.file_kind import (
    CATALOGUE,
    FileKind,
    agrees,
    extension_of,
    kind_of_content,
    kind_of_name,
)


def box(major: bytes, *brands: bytes) -> bytes:
    return (
        (16 + 4 * len(brands)).to_bytes(4, "big") + b"ftyp" + major + b"\0\0\0\0" + b"".join(brands)
    )


def entry(name: bytes) -> bytes:
    return b"PK\x03\x04" + b"\0" * 22 + len(name).to_bytes(2, "little") + b"\0\0" + name


HEADS = {
    FileKind.PDF: b"%PDF-1.7\n%\xe2\xe3",
    FileKind.JPEG: b"\xff\xd8\xff\xe0\0\x10JFIF",
    FileKind.PNG: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    FileKind.WEBP: b"RIFF\x24\0\0\0WEBPVP8 ",
    FileKind.HEIC: box(b"mif1", b"mif1", b"heic"),
    FileKind.DOCX: entry(b"[Content_Types].xml") + b"x" + entry(b"word/document.xml"),
    FileKind.XLSX: entry(b"[Content_Types].xml") + b"x" + entry(b"xl/workbook.xml"),
    FileKind.TXT: "Grüße\n".encode(),
    FileKind.ZIP: entry(b"a.txt"),
    FileKind.MP4: box(b"isom", b"iso2", b"mp41"),
}


@pytest.mark.parametrize("kind", HEADS)
def test_each_kind_is_known_by_its_content(kind: FileKind) -> None:
    # PS-40
    assert kind_of_content(HEADS[kind]) == kind


@pytest.mark.parametrize("kind", FileKind)
def test_content_and_name_must_agree(kind: FileKind) -> None:
    # PS-40
    fitting = {seen for seen, head in HEADS.items() if agrees(kind, head)}
    also = {
        FileKind.CSV: {FileKind.TXT},
        FileKind.DOCX: {FileKind.ZIP, FileKind.DOCX},
        FileKind.XLSX: {FileKind.ZIP, FileKind.XLSX},
        FileKind.ZIP: {FileKind.ZIP, FileKind.DOCX, FileKind.XLSX},
    }
    assert fitting == also.get(kind, {kind})


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff",
        b"\x7fELF\2\1\1\0\0\0",
        b"\xca\xfe\xba\xbe\0\0\0\x34",
        b"#!/bin/sh\nrm -rf /\n",
        b"GIF89a\1\0\1\0\0\0\0",
        b"GIF89a\1\0\1\0\0\0\0%PDF-1.4",
        b"<!DOCTYPE html><p>hello",
        b"\xef\xbb\xbf  <html>",
        b"\n<svg onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<?=$a?>",
        b"<%@page%>",
        b"<!--x--><script>",
        b"<script>alert(1)</script>%PDF-1.4",
        b"<a href=x>",
        "<html>".encode("utf-16"),
        b"{\\rtf1\\ansi",
        b"%!PS-Adobe-3.0",
        b"a,b\0c",
        b"caf\xe9;1\n",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"RIFF\x24\0\0\0AVI LIST",
        box(b"qt  ", b"qt  "),
        box(b"avif", b"mif1"),
        b"\xff\xff\xff\xffftypisom",
        b"Rar!\x1a\x07\x00",
    ],
)
def test_everything_else_is_none_of_them(head: bytes) -> None:
    assert kind_of_content(head) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"<Name>;<Ort>\nA;B\n", FileKind.TXT),
        (b"a < b\n", FileKind.TXT),
        ("Straße".encode("utf-16"), FileKind.TXT),
        ("ab".encode("utf-16-be"), None),
        ("é".encode()[:1] + b"x", None),
        (b"abc" + "é".encode()[:1], FileKind.TXT),  # the head may end within a letter
        (b"\r\n junk before \r\n%PDF-1.4", FileKind.PDF),
        (b"\0\1\2%PDF-1.4", FileKind.PDF),
        (b" " * 1020 + b"%PDF-1.4", FileKind.TXT),
    ],
)
def test_texts_and_late_beginnings(text: bytes, kind: FileKind | None) -> None:
    assert kind_of_content(text) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", FileKind.PDF),
        ("a.b.PDF", FileKind.PDF),
        ("x.pdf.exe", None),
        ("photo.JPG", FileKind.JPEG),
        ("photo.jpeg", FileKind.JPEG),
        ("pdf", None),
        (".pdf", None),
        ("a.", None),
        ("a.svg", None),
        ("a.html", None),
        ("a.docm", None),
        ("a.pdf ", None),
    ],
)
def test_a_name_tells_its_kind_at_the_end(name: str, kind: FileKind | None) -> None:
    assert kind_of_name(name) is kind


def test_the_catalogue_is_whole() -> None:
    assert set(CATALOGUE) == set(FileKind)
    endings = [ending for kind in FileKind for ending in kind.extensions]
    assert len(endings) == len(set(endings))
    for kind in FileKind:
        assert kind_of_name(f"x.{kind.extensions[0]}") is kind
        assert "/" in kind.media_type
        assert kind.label
    assert {kind for kind in FileKind if kind.inspection == "passing"} == {
        FileKind.HEIC, FileKind.CSV, FileKind.TXT, FileKind.MP4,
    }  # fmt: skip


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(head: bytes) -> None:
    for kind in FileKind:
        agrees(kind, head)


@given(st.text(max_size=30))
def test_no_name_makes_it_fail(name: str) -> None:
    assert extension_of(name) == extension_of(name).lower()
