"""Sealed documents prove themselves, offline, to two engines; no altered one does."""

import asyncio
import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Name, Pdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner

from adapters import pdf_seal
from adapters.pdf_completion import with_completion
from adapters.pdf_seal import Sealed, SealLevel, SealRefused, seal
from adapters.pdf_seal_check import SealProblem, SealVerdict, validate
from adapters.signing_certificate import SigningCertificate, made, with_fresh_crl
from adapters.signing_certificate_import import imported
from tests.unit.completions import completion, seen
from tests.unit.sealing import EXPIRED_AT, NOW, certificate, document, pdfsig
from tests.unit.test_signing_certificate import PASSWORD, packed

VALID = "Signature is Valid."
WHOLE = "Total document signed"
MUTATIONS, UPDATES = 300, 30


async def sealed(pdf: bytes | None = None, by: SigningCertificate | None = None) -> Sealed:
    given = pdf or document()
    return await seal(given, by or certificate(), reason="All have signed", at=NOW, seen=seen())


async def verdict_on(pdf: bytes, by: SigningCertificate | None = None) -> SealVerdict:
    return await validate(pdf, [(by or certificate()).root], at=NOW)


async def test_a_seal_is_good_for_both_engines(tmp_path: Path) -> None:
    """RELIABILITY 25: AdES validation by pyHanko, and poppler's `pdfsig`."""
    made_now = await sealed()
    verdict = await verdict_on(made_now.pdf)
    assert verdict == SealVerdict((), SealLevel.B_LT, "Acme Ltd", NOW)
    assert verdict.is_good
    said = pdfsig(made_now.pdf, tmp_path)
    assert VALID in said
    assert WHOLE in said
    assert "ETSI.CAdES.detached" in said
    assert made_now.level is SealLevel.B_LT
    assert made_now.sha256 == hashlib.sha256(made_now.pdf).hexdigest()


def test_what_was_sealed_is_checked_where_there_is_no_network(tmp_path: Path) -> None:
    """RELIABILITY 25: `unshare -n`, with nothing but the root."""
    made_now = asyncio.run(sealed())
    (tmp_path / "sealed.pdf").write_bytes(made_now.pdf)
    (tmp_path / "root.pem").write_bytes(certificate().root)
    code = (
        "import asyncio, sys, datetime; from pathlib import Path;"
        "from adapters.pdf_seal_check import validate;"
        "pdf, root = (Path(each).read_bytes() for each in sys.argv[1:3]);"
        "at = datetime.datetime.fromisoformat(sys.argv[3]);"
        "print(asyncio.run(validate(pdf, [root], at=at)).is_good)"
    )
    files = [str(tmp_path / each) for each in ("sealed.pdf", "root.pem")]
    may = subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True)
    said = subprocess.run(
        [
            *(["unshare", "-rn"] if may.returncode == 0 else []),
            sys.executable,
            "-c",
            code,
            *files,
            NOW.isoformat(),
        ],
        capture_output=True,
        check=True,
        cwd=Path(pdf_seal.__file__).parents[1],
        env={"PYTHONPATH": "."},
    )
    assert said.stdout.decode().strip() == "True"


async def test_certifies_that_nothing_may_be_changed_and_stands_in_one_revision() -> None:
    made_now = await sealed()
    (signature,) = PdfFileReader(BytesIO(made_now.pdf)).embedded_regular_signatures
    said = signature.sig_object
    assert said["/Reason"] == "All have signed"
    assert said["/Name"] == "Acme Ltd"
    assert signature.self_reported_timestamp == NOW
    assert made_now.pdf.startswith(document())
    with pikepdf.open(BytesIO(made_now.pdf)) as pdf:
        permission = pdf.Root.Perms.DocMDP.Reference[0]
        assert permission.TransformMethod == Name.DocMDP
        assert permission.TransformParams.P == 1
        assert len(pdf.Root.DSS.CRLs) == 1
        assert len(pdf.Root.DSS.Certs) == 2


async def test_any_company_and_any_page_can_be_sealed() -> None:
    whole = with_completion(document(), completion()).pdf
    for name in ("上海贸易有限公司", "محمد عبد الله", "Acme محمد", "Zoë Łukasz & Söhne", ""):
        by = made(name, at=NOW, years=1)
        verdict = await verdict_on((await sealed(whole, by)).pdf, by)
        assert verdict.is_good
        assert verdict.subject == by.subject


@pytest.mark.load
@pytest.mark.timeout(600)
async def test_every_changed_byte_is_found(tmp_path: Path) -> None:
    """RELIABILITY 25: 300 of 300, spread over the file, at least two thirds outside the seal."""
    whole = (await sealed()).pdf
    draw = random.Random(25)
    begin, end = seal_in(whole)
    places = [draw.randrange(begin, end) for _ in range(MUTATIONS // 3)]
    places += [
        draw.choice([draw.randrange(begin), draw.randrange(end, len(whole))])
        for _ in range(MUTATIONS - len(places))
    ]
    missed = []
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= draw.randrange(1, 256)
        if (await verdict_on(bytes(changed))).is_good:
            missed.append(place)
        # What no signature covers, the room its own digits leave, poppler does not look at.
        if not begin <= place < end:
            said = pdfsig(bytes(changed), tmp_path)
            assert not (VALID in said and WHOLE in said), place
    assert missed == []


async def test_every_digit_of_the_seal_counts() -> None:
    """Also in lower case, in the frame that stands twice, and where nothing stands."""
    whole = (await sealed()).pdf
    begin, end = seal_in(whole)
    draw = random.Random(7)
    for place in [*range(begin + 46, begin + 90, 2), *draw.sample(range(begin, end), 20), end - 1]:
        for digit in (bytes([whole[place]]).swapcase(), b"7" if whole[place] != 55 else b"8"):
            changed = whole[:place] + digit + whole[place + 1 :]
            assert changed == whole or not (await verdict_on(changed)).is_good, place


def seal_in(pdf: bytes) -> tuple[int, int]:
    """Where the seal's own digits are, which it cannot cover."""
    begin = pdf.index(b"/Contents <", len(document())) + len(b"/Contents <")
    return begin, pdf.index(b">", begin)


def with_words(writer: IncrementalPdfFileWriter, number: int) -> None:
    """Something else on top of a page."""
    content = generic.StreamObject(stream_data=b"BT /F1 40 Tf 100 500 Td (%d) Tj ET" % number)
    writer.add_stream_to_page(0, writer.add_object(content))


def with_note(writer: IncrementalPdfFileWriter, number: int) -> None:
    kind = ["/Text", "/FreeText", "/Stamp", "/Highlight", "/Square"][number % 5]
    note = generic.DictionaryObject(
        {
            generic.NameObject("/Type"): generic.NameObject("/Annot"),
            generic.NameObject("/Subtype"): generic.NameObject(kind),
            generic.NameObject("/Rect"): generic.ArrayObject(
                [generic.NumberObject(each) for each in (9, 9, 90, 90 + number)]
            ),
        }
    )
    page, _ = writer.find_page_for_modification(0)
    writer.register_annotation(page, writer.add_object(note))


def with_title(writer: IncrementalPdfFileWriter, number: int) -> None:
    writer.root["/Lang"] = generic.TextStringObject(f"x{number}")
    writer.update_root()


def with_turned_page(writer: IncrementalPdfFileWriter, number: int) -> None:
    page, _ = writer.find_page_for_modification(0)
    page.get_object()["/Rotate"] = generic.NumberObject(90 * (1 + number % 3))
    writer.mark_update(page)


def with_nothing(writer: IncrementalPdfFileWriter, number: int) -> None:
    """A revision of its own in which nothing is other than before."""
    writer.add_object(generic.NumberObject(number))


CHANGES: list[Callable[[IncrementalPdfFileWriter, int], None]] = [
    with_words,
    with_note,
    with_title,
    with_turned_page,
    with_nothing,
]


@pytest.mark.parametrize("number", range(UPDATES))
async def test_whatever_is_appended_is_found(number: int, tmp_path: Path) -> None:
    """RELIABILITY 25: 30 of 30 incremental updates, of harmless kinds, too."""
    whole = (await sealed()).pdf
    writer = IncrementalPdfFileWriter(BytesIO(whole))
    CHANGES[number % len(CHANGES)](writer, number)
    into = BytesIO()
    writer.write(into)
    appended = into.getvalue()
    assert appended.startswith(whole)
    assert len(appended) > len(whole)
    verdict = await verdict_on(appended)
    assert SealProblem.APPENDED in verdict.problems
    assert WHOLE not in pdfsig(appended, tmp_path)


@pytest.mark.parametrize("tail", [b"\n", b"\0", b" ", b"%%EOF\n", b"PK\3\4", b"% remark\n%%EOF"])
async def test_bytes_behind_the_end_are_found(tail: bytes) -> None:
    assert not (await verdict_on((await sealed()).pdf + tail)).is_good


async def test_a_second_signature_is_an_addition(monkeypatch: pytest.MonkeyPatch) -> None:
    """By another certificate of the same root, so that nothing else is wrong with it."""
    whole = (await sealed()).pdf
    other = made("Somebody else", at=NOW, years=1)
    writer = IncrementalPdfFileWriter(BytesIO(whole))
    signer = PdfSigner(PdfSignatureMetadata("Second"), pdf_seal._signer(other))
    monkeypatch.setattr(signer, "_enforce_certification_constraints", lambda _: None)
    twice = (await signer.async_sign_pdf(writer)).getvalue()
    verdict = await validate(twice, [certificate().root, other.root], at=NOW)
    assert SealProblem.APPENDED in verdict.problems


async def test_a_signature_that_certifies_nothing_is_no_seal() -> None:
    writer = IncrementalPdfFileWriter(BytesIO(document()))
    signer = PdfSigner(PdfSignatureMetadata("Seal"), pdf_seal._signer(certificate()))
    plain = (await signer.async_sign_pdf(writer)).getvalue()
    assert SealProblem.NOT_CERTIFIED in (await verdict_on(plain)).problems


async def test_written_anew_it_is_not_what_was_sealed() -> None:
    """As any program does that saves what it has opened."""
    with Pdf.open(BytesIO((await sealed()).pdf)) as pdf:
        into = BytesIO()
        pdf.save(into)
    assert not (await verdict_on(into.getvalue())).is_good


@pytest.mark.parametrize("raw", [b"", b"%PDF-1.7", b"junk" * 1000])
async def test_what_is_no_pdf_is_unreadable(raw: bytes) -> None:
    assert await verdict_on(raw) == SealVerdict((SealProblem.UNREADABLE,))


async def test_what_is_not_sealed_says_so() -> None:
    assert await verdict_on(document()) == SealVerdict((SealProblem.NOT_SEALED,))


async def test_a_seal_by_another_root_is_not_trusted() -> None:
    """Of the same name, too."""
    other = made("Acme Ltd", at=NOW, years=3)
    verdict = await verdict_on((await sealed()).pdf, other)
    assert SealProblem.UNTRUSTED in verdict.problems


async def test_an_expired_one_without_time_stamps_says_so(tmp_path: Path) -> None:
    """RELIABILITY 25, expired leaf: nobody vouches for when it was made."""
    verdict = await validate((await sealed()).pdf, [certificate().root], at=EXPIRED_AT)
    assert verdict.problems == (SealProblem.EXPIRED,)
    assert verdict.sealed_at == NOW


async def test_lasts_until_its_certificate_ends() -> None:
    """The list that travels along counts as long as the certificate does."""
    at = certificate().not_after - timedelta(minutes=1)
    assert (await validate((await sealed()).pdf, [certificate().root], at=at)).is_good


async def test_neither_an_expired_nor_a_revoked_certificate_seals() -> None:
    revoked = with_fresh_crl(certificate(), at=NOW, revoked_at=NOW - timedelta(days=1))
    for by, at in (
        (revoked, NOW),
        (certificate(), EXPIRED_AT),
        (certificate(), NOW - timedelta(2)),
    ):
        with pytest.raises(SealRefused):
            await seal(document(), by, reason="x", at=at)


async def test_a_newer_list_does_not_hinder_a_seal_that_was_due_before() -> None:
    """A seal whose making is tried again keeps its time; the list was renewed meanwhile."""
    newer = with_fresh_crl(certificate(), at=NOW + timedelta(hours=3))
    assert (await sealed(by=newer)).level is SealLevel.B_LT


async def test_a_certificate_without_a_list_seals_without_long_term_proof(tmp_path: Path) -> None:
    brought = imported(packed(), PASSWORD, at=NOW)
    made_now = await sealed(by=brought)
    assert made_now.level is SealLevel.B_B
    verdict = await verdict_on(made_now.pdf, brought)
    assert verdict == SealVerdict((), SealLevel.B_B, "Brought Ltd", NOW)
    assert VALID in pdfsig(made_now.pdf, tmp_path)


async def test_a_certificate_that_is_none_is_refused() -> None:
    alone = replace(certificate(), chain=made("Other", at=NOW, years=1).root)
    with pytest.raises(SealRefused):
        await sealed(by=alone)


def test_the_words_for_problems_are_those_that_programs_read() -> None:
    assert json.dumps([*SealLevel]) == '["B-B", "B-T", "B-LT", "B-LTA"]'
