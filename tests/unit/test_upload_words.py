import pytest

from api.upload_words import refusal_in_words, size_in_words
from domain.upload import UploadReason, UploadRefusal


@pytest.mark.parametrize("reason", UploadReason)
@pytest.mark.parametrize("locale", ["en", "de"])
def test_every_refusal_has_its_words(reason: UploadReason, locale: str) -> None:
    # PS-40
    said = refusal_in_words(UploadRefusal(reason, "<limit>", "100 % given"), locale)
    assert said.endswith(".")
    assert "%(" not in said


@pytest.mark.parametrize(
    ("reason", "limit", "given", "english", "german"),
    [
        ("content_differs", "PDF", "JPEG", "it contains JPEG.", "enthält aber JPEG."),
        ("content_differs", "PDF", "other content", "something else", "etwas anderes"),
        ("archive_bomb", "2000 entries", "2001", "2000 entries. Found: 2001.", "2000 Einträge"),
        ("archive_bomb", "1024 MB unpacked", "more", "Found: more.", "1024 MB entpackt"),
        ("too_many_pixels", "50 megapixels, 9 pixels a side", "7 × 9 pixels", "7 × 9", "50 Mega"),
        ("too_many", "4", "5", "at most 4 files", "5"),
        ("kind_not_allowed", "PDF, JPEG", ".exe", ".exe", ".exe"),
    ],
)
def test_limit_and_what_was_given_are_said(
    reason: UploadReason, limit: str, given: str, english: str, german: str
) -> None:
    refusal = UploadRefusal(UploadReason(reason), limit, given)
    assert english in refusal_in_words(refusal, "en")
    assert german in refusal_in_words(refusal, "de")


@pytest.mark.parametrize(
    ("size", "english", "german"),
    [
        (0, "0 byte", "0 Byte"),
        (1023, "1,023 byte", "1.023 Byte"),
        (1025, "2 kB", "2 kB"),
        (25 * 2**20, "25 MB", "25 MB"),
        (25 * 2**20 + 1, "25.1 MB", "25,1 MB"),
    ],
)
def test_sizes_are_rounded_up(size: int, english: str, german: str) -> None:
    assert size_in_words(size, "en") == english
    assert size_in_words(size, "de") == german
