"""Real files of every kind that parties send, good ones and bad ones."""

import io
import struct
import zipfile
import zlib
from typing import Any

import pikepdf
from PIL import Image

from tests.rooms.house import INTAKE, TASKS

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""What every virus scanner takes for a virus, to be tested with."""
MIB = 1024 * 1024
SCOPE: dict[str, Any] = {
    "kinds": ["pdf", "jpeg", "png", "csv", "txt", "docx", "zip"],
    "max_bytes": 2 * MIB,
    "max_files": 4,
    "min_files": 2,
    "required": [{"key": "insurance", "title": "Insurance"}],
    "retention_days": 30,
}


def upload_task(**changes: Any) -> dict[str, Any]:
    """An upload task of a template; `changes` are those of its scope."""
    return {
        "key": "papers",
        "kind": "upload",
        "title": "Your papers",
        "upload": SCOPE | changes,
    }


def with_uploads(**changes: Any) -> dict[str, Any]:
    """What makes an intake of the house begin with an upload task."""
    return {"tasks": [upload_task(**changes), TASKS[1]], "scope": INTAKE["scope"]}


def pdf(text: str = "policy") -> bytes:
    """A document of one page."""
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page(page_size=(200, 200))
    made.docinfo["/Title"] = text
    made.save(out)
    return out.getvalue()


def pdf_with_password() -> bytes:
    """A document that opens with a password only."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as made:
        made.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture in one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form)
    return out.getvalue()


def archive(**entries: bytes) -> bytes:
    """A ZIP file; `a_txt=…` becomes `a.txt`."""
    return _zip({name.replace("_", "."): content for name, content in entries.items()})


def huge_picture() -> bytes:
    """A PNG that says it is 60,000 pixels wide, in a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(60_001))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def word_with_macro() -> bytes:
    """A Word file with a program in it."""
    main = "application/vnd.ms-word.document.macroEnabled.main+xml"
    types = f'<Types><Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    return _zip(
        {
            "[Content_Types].xml": types.encode(),
            "word/document.xml": b"<w/>",
            "word/vbaProject.bin": b"macro",
        }
    )


def _zip(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return out.getvalue()
