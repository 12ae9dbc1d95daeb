"""The certificate of completion: who, when, what, and what it is not."""

import re
from datetime import timedelta
from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types

from adapters.pdf_completion import completion_pdf, with_completion
from domain.agreement_completion import AgreementCompletion
from tests.unit.completions import completion, signer
from tests.unit.receipts import proof
from tests.unit.sealing import NOW, document


def words_of(pdf: bytes) -> str:
    opened = pypdfium2.PdfDocument(pdf)
    pages = [str(each.get_textpage().get_text_range()) for each in opened]
    opened.close()
    return " ".join(" ".join(pages).split())


def test_says_who_did_what_when_and_where_it_is_on_record() -> None:
    one = completion()
    words = words_of(completion_pdf(one).pdf)
    for said in (
        "Certificate of completion", "Framework agreement", "Acme Ltd", one.reference, one.sha256,
        "Anna Weber", "Zoë Łukasz 上海", "anna@example.org", "Firefox 150 on Linux",
        "Version signed 3", "Code by mail on entry", "Opened", "Signed",
    ):  # fmt: skip
        assert said in words
    assert "15:03 (Europe/Berlin, UTC+01:00) 2026-12-06 14:03:09 UTC" in words
    proven = proof()
    for said in (proven.root, proven.leaf, proven.key, str(proven.index), *proven.path):
        assert said in words


def test_says_by_which_codes_each_signer_was_verified() -> None:
    """ASVS 7.5.3: also by the fresh code at signing, where one was asked for."""
    at = NOW - timedelta(minutes=3)
    one = completion(signers=(signer(stepped_up_at=at), signer("Otto Ohne")))
    words = words_of(completion_pdf(one).pdf)
    anna, otto = words.split("Otto Ohne")
    assert "Fresh code by mail" in anna
    assert AgreementCompletion.in_utc(at) in anna.split("Fresh code by mail")[1]
    assert "Fresh code by mail" not in otto.split("What the seal is")[0]
    assert all("Code by mail on entry" in each for each in (anna, otto))
    assert "one that was asked for to sign this document and is good for nothing else" in words


def test_says_in_the_order_of_time_who_came_in_again_to_sign() -> None:
    at = NOW - timedelta(minutes=5)
    again = signer(confirmed_again_at=at)
    words = words_of(completion_pdf(completion(signers=(again,))).pdf)
    own = words[words.index("Anna Weber") : words.index("What the seal is")]
    stamps = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", own)
    assert len(stamps) == 4
    assert stamps == sorted(stamps)
    assert own.index("Opened") < own.index("Another code by mail on entry") < own.index("Signed")
    assert "Another code" not in words_of(completion_pdf(completion()).pdf)


def test_says_plainly_what_the_seal_is_not() -> None:
    words = words_of(completion_pdf(completion()).pdf)
    assert "sealed by the service on behalf of Acme Ltd" in words
    assert "not a qualified electronic signature" in words


def test_what_did_not_happen_and_what_is_not_known_is_left_out() -> None:
    bare = signer(mailbox_confirmed_at=None, opened_at=None, signed_at=None, browser="")
    words = words_of(completion_pdf(completion(signers=(bare,), proof=None)).pdf)
    for left_out in (
        "Code by mail on entry",
        "Fresh code by mail",
        "Opened",
        "Browser",
        "Root of the log",
    ):
        assert left_out not in words
    assert "Anna Weber" in words


def test_who_only_filled_in_is_not_among_those_who_signed() -> None:
    # PS-42
    both = (signer("Boris Filler", signs=False), signer("Anna Weber"))
    words = words_of(completion_pdf(completion(signers=both)).pdf)
    parts = [
        words.index(each)
        for each in (
            "Who signed",
            "Anna Weber",
            "Signed ",
            "Who filled it in without signing",
            "Boris Filler",
            "Confirmed ",
        )
    ]
    assert parts == sorted(parts)
    assert words[: parts[3]].count("Boris Filler") == 0
    alone = words_of(completion_pdf(completion(signers=(signer(),))).pdf)
    assert "without signing" not in alone


def test_stands_behind_the_document_which_stays_as_it_is() -> None:
    whole = with_completion(document(), completion()).pdf
    before, after = pypdfium2.PdfDocument(document()), pypdfium2.PdfDocument(whole)
    assert len(after) > len(before)
    for number in range(len(before)):
        one, other = (each[number].get_textpage().get_text_range() for each in (before, after))
        assert one == other
    before.close()
    after.close()
    assert words_of(whole).endswith(words_of(completion_pdf(completion()).pdf))
    assert whole == with_completion(document(), completion()).pdf
    with pikepdf.open(BytesIO(whole)) as pdf:
        assert pdf.check_pdf_syntax() == []


def test_is_written_in_the_language_of_the_agreement() -> None:
    words = words_of(completion_pdf(completion(locale="de")).pdf)
    assert "Sonntag, 6. Dezember 2026, 15:05 Uhr" in words
    assert "keine qualifizierte elektronische Signatur" in words


def test_many_signers_go_over_numbered_pages() -> None:
    many = completion(signers=tuple(signer(f"Person number {each}.") for each in range(30)))
    words = words_of(completion_pdf(many).pdf)
    assert [each for each in range(30) if f"Person number {each}." not in words] == []
    assert "Page 2 of" in words


def test_a_moment_is_the_same_to_everybody() -> None:
    assert AgreementCompletion.in_utc(NOW) == "2026-12-06 14:05:09 UTC"
