"""Files that carry texts so that whoever reads their bytes reads the texts: nothing is packed."""

import io
import struct
import zipfile
import zlib

import pikepdf
from PIL import Image, PngImagePlugin

TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.'
    'openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)
WORD = (
    '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
    'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>'
)


def csv(*texts: str) -> bytes:
    """One row for each."""
    return b"number,what\n" + "".join(f"{at},{text}\n" for at, text in enumerate(texts)).encode()


def pdf(title: str, shown: str) -> bytes:
    """A page that shows one text and has another for its title."""
    made, out = pikepdf.new(), io.BytesIO()
    page = made.add_blank_page(page_size=(300, 300))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.Contents = made.make_stream(f"BT /F1 12 Tf 20 20 Td ({shown}) Tj ET".encode())
    made.docinfo["/Title"] = title
    made.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def docx(*texts: str) -> bytes:
    """A Word file of one paragraph."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        made.writestr("[Content_Types].xml", TYPES)
        made.writestr("_rels/.rels", RELATIONS)
        made.writestr("word/document.xml", WORD % " ".join(texts))
    return out.getvalue()


def png(comment: str) -> bytes:
    """A picture with a comment."""
    out, said = io.BytesIO(), PngImagePlugin.PngInfo()
    said.add_text("Comment", comment)
    Image.new("RGB", (40, 30), "teal").save(out, "PNG", pnginfo=said)
    return out.getvalue()


def damaged_png(comment: str) -> bytes:
    """Begins as a picture and is none."""
    chunk = b"tEXt" + comment.encode()
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + framed
