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
