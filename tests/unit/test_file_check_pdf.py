"""PDF documents come back without what acts; checked by parsing again and by looking at bytes."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # it brings no types
import pytest
from fpdf import FPDF
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from adapters.file_check import sanitised
from adapters.file_checks import pdf as pdf_check
from adapters.file_checks.__main__ import judged
from adapters.file_checks.pdf import rewritten
from adapters.pdf_pages import prepared
from domain.file_kind import FileKind
from domain.upload import UploadReason, UploadRefused

EVIL = [
    b"JavaScript", b"app.alert", b"OpenAction", b"/AA", b"/Launch", b"cmd.exe", b"SubmitForm",
    b"ImportData", b"GoToR", b"GoToE", b"EmbeddedFile", b"/EF", b"FileAttachment", b"RichMedia",
    b"/3D", b"/Movie", b"/Screen", b"/Sound", b"XFA", b"javascript:", b"file:", b"secret payload",
    b"Rendition",
]  # fmt: skip


def document(pages: int = 2) -> bytes:
    made = FPDF()
    made.set_font("helvetica", size=12)
    for number in range(pages):
        made.add_page()
        made.cell(
            0, 10, f"Certificate of insurance, page {number + 1}", link="https://example.org/"
        )
    made.add_link(page=1)
    return bytes(made.output())


def changed(change: Callable[[Pdf], None], **saving: Any) -> bytes:
    with Pdf.open(BytesIO(document())) as each:
        change(each)
        into = BytesIO()
        each.save(into, **saving)
    return into.getvalue()


def plain(raw: bytes) -> bytes:
    """Everything in it, unpacked, so that no word hides."""
    into = BytesIO()
    with Pdf.open(BytesIO(raw)) as each:
        each.save(
            into,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    return into.getvalue()


def rendered(raw: bytes) -> list[bytes]:
    opened = pypdfium2.PdfDocument(raw)
    try:
        opened.init_forms()
        return [bytes(page.render(scale=0.5).buffer) for page in opened]
    finally:
        opened.close()


def action(kind: str, **more: Any) -> Dictionary:
    return Dictionary(S=Name(kind), **more)


def script() -> Dictionary:
    return action("/JavaScript", JS=String("app.alert(1)"))


def note(each: Pdf, kind: str, **more: Any) -> None:
    page = each.pages[0].obj
    made = each.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name(kind), Rect=Array([10, 10, 20, 20]), **more)
    )
    page["/Annots"] = Array([*page.get("/Annots", Array([])), made])


def attached(each: Pdf) -> Dictionary:
    stream = Stream(each, b"secret payload", Type=Name.EmbeddedFile)
    return Dictionary(
        Type=Name.Filespec, F=String("a.exe"), EF=Dictionary(F=each.make_indirect(stream))
    )


def names(each: Pdf, key: str, value: Any) -> None:
    each.Root["/Names"] = Dictionary({key: Dictionary(Names=Array([String("x"), value]))})


def catalog(key: str, value: Any) -> Callable[[Pdf], None]:
    return lambda each: each.Root.__setitem__(key, value)


def field(each: Pdf) -> None:
    made = each.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("Ada"),
            Rect=Array([50, 50, 200, 70]), AA=Dictionary(K=script(), F=script()), F=4,
        )
    )  # fmt: skip
    each.pages[0].obj["/Annots"] = Array([made])
    each.Root["/AcroForm"] = Dictionary(
        Fields=Array([made]),
        XFA=Stream(each, b"<xdp>secret payload</xdp>"),
        DA=String("/Helv 0 Tf"),
    )


def bookmark(each: Pdf) -> None:
    with each.open_outline() as outline:
        for title in ("One", "Two"):
            outline.root.append(pikepdf.OutlineItem(title, 0))
    first = each.Root.Outlines.First
    first["/A"] = action("/URI", URI=String("https://example.org"), Next=script())


ATTACKS: dict[str, Callable[[Pdf], None]] = {
    "open action": catalog("/OpenAction", script()),
    "document actions": catalog("/AA", Dictionary(WC=script())),
    "script names": lambda each: names(each, "/JavaScript", script()),
    "embedded file": lambda each: names(each, "/EmbeddedFiles", attached(each)),
    "associated file": lambda each: each.Root.__setitem__("/AF", Array([attached(each)])),
    "renditions": lambda each: names(each, "/Renditions", script()),
    "page actions": lambda each: each.pages[0].obj.__setitem__("/AA", Dictionary(O=script())),
    "launch": lambda each: note(each, "/Link", A=action("/Launch", F=String("cmd.exe"))),
    "submit": lambda each: note(each, "/Link", A=action("/SubmitForm", F=String("http://x"))),
    "import": lambda each: note(each, "/Link", A=action("/ImportData", F=String("x"))),
    "other file": lambda each: note(each, "/Link", A=action("/GoToR", F=String("x"))),
    "embedded target": lambda each: note(each, "/Link", A=action("/GoToE", F=String("x"))),
    "link script": lambda each: note(
        each, "/Link", A=action("/URI", URI=String(" java\nscript:app.alert(1)"))
    ),
    "link file": lambda each: note(each, "/Link", A=action("/URI", URI=String("file:///c:/x"))),
    "previous link": lambda each: note(each, "/Link", PA=script()),
    "action chain": lambda each: note(
        each, "/Link", A=action("/GoTo", D=String("x"), Next=Array([script(), script()]))
    ),
    "attachment": lambda each: note(each, "/FileAttachment", FS=attached(each)),
    "rich media": lambda each: note(each, "/RichMedia", RichMediaContent=attached(each)),
    "3d": lambda each: note(each, "/3D", Extra=String("secret payload")),
    "movie": lambda each: note(each, "/Movie", Movie=attached(each)),
    "screen": lambda each: note(each, "/Screen", A=action("/Rendition", JS=String("app.alert"))),
    "sound": lambda each: note(each, "/Sound", Sound=Stream(each, b"secret payload")),
    "field and XFA": field,
    "bookmark": bookmark,
    "trailer": lambda each: each.trailer.__setitem__("/Extra", String("secret payload")),
    "structure keeps it alive": lambda each: each.Root.__setitem__(
        "/StructTreeRoot", Dictionary(K=Array([each.make_indirect(script())]))
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("packed", [True, False])
def test_what_acts_is_gone(attack: str, packed: bool) -> None:
    # PS-40
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    raw = changed(ATTACKS[attack], object_stream_mode=mode)
    bare = plain(raw)
    assert any(word in bare for word in EVIL), "the attack is not in the document"
    kept = plain(rewritten(raw))
    assert [word for word in EVIL if word in kept] == []


@pytest.mark.parametrize("attack", ["open action", "embedded file", "field and XFA", "bookmark"])
def test_pages_look_the_same(attack: str) -> None:
    raw = changed(ATTACKS[attack])
    before, after = rendered(raw), rendered(rewritten(raw))
    assert before == after
    assert len(set(before)) == 2


def test_what_is_harmless_stays() -> None:
    def harmless(each: Pdf) -> None:
        field(each)
        bookmark(each)
        note(each, "/Link", A=action("/URI", URI=String("mailto:a@example.org")))
        note(each, "/Link", A=action("/Named", N=Name.NextPage))
        note(each, "/Text", Contents=String("a comment"))
        each.Root["/Names"] = Dictionary(Dests=Dictionary(Names=Array([])))
        each.Root["/StructTreeRoot"] = Dictionary(
            K=Array([Dictionary(S=Name.P, A=Dictionary(O=Name.Layout, Placement=Name.Block))])
        )

    with Pdf.open(BytesIO(rewritten(changed(harmless)))) as each:
        notes: Any = each.pages[0].obj["/Annots"]
        assert [str(one["/Subtype"]) for one in notes] == ["/Widget", "/Link", "/Link", "/Text"]
        assert str(notes[1]["/A"]["/URI"]) == "mailto:a@example.org"
        assert str(notes[0]["/V"]) == "Ada"
        assert "/Dests" in each.Root.Names
        assert each.Root.StructTreeRoot.K[0].A.Placement == Name.Block
        assert str(each.Root.Outlines.First.A.URI) == "https://example.org"
        assert str(each.Root.Outlines.First.Next.Title) == "Two"
        assert len(each.pages) == 2


def test_bytes_around_the_document_are_gone() -> None:
    """A page, a program or an archive in front of or behind it (polyglots)."""
    raw = b"\n<!-- <script>alert(1)</script> \n" + document() + b"\nPK\x03\x04<script>alert(2)"
    kept = rewritten(raw)
    assert kept.startswith(b"%PDF-")
    assert kept.rstrip().endswith(b"%%EOF")
    assert b"<script>" not in kept
    assert b"PK\x03\x04" not in kept
    assert rendered(kept) == rendered(document())


def test_plain_streams_are_packed() -> None:
    raw = changed(
        lambda each: each.pages[0].obj.__setitem__(
            "/Contents", each.make_indirect(Stream(each, b"% <script>alert(1)</script>\n"))
        ),
        compress_streams=False,
    )
    assert b"<script>" in raw
    assert b"<script>" not in rewritten(raw)


def refusal_of(raw: bytes) -> tuple[UploadReason, str, str]:
    refusal = judged(rewritten, raw)[0].refusal
    assert refusal
    return refusal.reason, refusal.limit, refusal.given


@pytest.mark.parametrize("size", [5, 100, 700, -1300, -200])
def test_a_document_that_was_cut_off_is_refused(size: int) -> None:
    reason, limit, given = refusal_of(document()[:size])
    assert (reason, limit) == (UploadReason.DAMAGED, "a whole document")
    assert given


def test_a_slightly_wrong_document_is_mended() -> None:
    raw = document()
    broken = raw.replace(b"startxref\n", b"startxref\n1")
    assert broken != raw
    assert rendered(rewritten(broken)) == rendered(raw)


def test_a_document_without_pages_is_refused() -> None:
    def emptied(each: Pdf) -> None:
        del each.pages[:]

    assert refusal_of(changed(emptied))[2] == "0 pages"


def test_a_password_is_asked_for_by_nobody() -> None:
    locked = changed(lambda _: None, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert refusal_of(locked)[:2] == (UploadReason.ENCRYPTED_DOCUMENT, "no password to open it")


def test_a_document_that_opens_without_its_password_is_taken() -> None:
    open_to_all = changed(ATTACKS["open action"], encryption=pikepdf.Encryption(owner="o", user=""))
    with Pdf.open(BytesIO(rewritten(open_to_all))) as each:
        assert not each.is_encrypted
        assert "/OpenAction" not in each.Root


def test_too_many_objects_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_check, "MOST_OBJECTS", 3)
    with pytest.raises(UploadRefused) as caught:
        rewritten(document())
    assert caught.value.refusal.reason == UploadReason.ARCHIVE_BOMB
    assert caught.value.refusal.limit == "3 objects"


async def test_what_a_writer_says_of_itself_stops_nothing() -> None:
    """XMP, as Word and most others write it: nothing may be loaded for it once confined."""

    def described(pdf: Pdf) -> None:
        with pdf.open_metadata() as metadata:
            metadata["dc:title"] = "Supply agreement"
            metadata["pdf:PDFVersion"] = "1.3"

    raw = changed(described)
    assert b"Supply agreement" in plain(raw)

    async def sent() -> AsyncIterator[bytes]:
        yield raw

    stream = sanitised(FileKind.PDF, sent(), timeout=timedelta(seconds=30))
    kept = b"".join([each async for each in stream])
    assert rendered(kept) == rendered(raw)
    assert len((await prepared(raw)).pages) == 2
