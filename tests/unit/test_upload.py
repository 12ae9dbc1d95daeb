from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.definition import Reader
from domain.file_kind import FileKind
from domain.upload import (
    UNNAMED,
    Slot,
    UploadReason,
    UploadRefusal,
    UploadRefused,
    UploadScope,
    check_upload,
    refused,
    refuses_content,
    size_text,
)

MIB = 1024 * 1024
INSURANCE, REGISTRATION = Slot("insurance", "Insurance"), Slot("registration", "Registration")


def raw(**changes: Any) -> dict[str, Any]:
    return {
        "kinds": ["pdf", "jpeg", "csv"],
        "max_bytes": 60 * MIB,
        "max_files": 4,
        "min_files": 3,
        "required": [
            {"key": "insurance", "title": "Insurance"},
            {"key": "registration", "title": "Registration"},
        ],
        "retention_days": 365,
    } | changes


def pointers(upload: Any) -> list[str]:
    read = Reader()
    check_upload(read, upload, "/tasks/0/upload")
    return [each.pointer.removeprefix("/tasks/0/upload") for each in read.faults]


SCOPE = UploadScope.of(raw())


def test_the_scope_of_a_task() -> None:
    # PS-40
    assert pointers(raw()) == []
    expected = UploadScope(
        (FileKind.PDF, FileKind.JPEG, FileKind.CSV),
        60 * MIB,
        4,
        3,
        (INSURANCE, REGISTRATION),
        timedelta(days=365),
    )
    assert expected == SCOPE
    assert SCOPE.slots == (INSURANCE, REGISTRATION, UNNAMED)
    assert SCOPE.extensions == ("pdf", "jpg", "jpeg", "jpe", "jfif", "csv")


def test_only_kinds_must_be_said() -> None:
    assert pointers({"kinds": ["pdf"]}) == []
    each = UploadScope.of({"kinds": ["pdf"]})
    assert (each.max_bytes, each.max_files, each.min_files) == (26214400, 10, 1)
    assert (each.required, each.retention, each.slots) == ((), None, (UNNAMED,))


def test_no_unnamed_place_without_room() -> None:
    assert UploadScope.of(raw(max_files=2, min_files=1)).slots == (INSURANCE, REGISTRATION)


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"kinds": []}, ["/kinds"]),
        ({"kinds": "pdf"}, ["/kinds"]),
        ({"kinds": ["pdf", "exe"]}, ["/kinds/1"]),
        ({"kinds": ["pdf", "pdf"]}, ["/kinds/1"]),
        ({"max_bytes": 0}, ["/max_bytes"]),
        ({"max_bytes": 2048 * MIB}, []),
        ({"max_bytes": 2048 * MIB + 1}, ["/max_bytes"]),
        ({"max_bytes": True}, ["/max_bytes"]),
        ({"max_files": 100}, []),
        ({"max_files": 101}, ["/max_files"]),
        ({"max_files": 1}, ["/min_files", "/required"]),
        ({"min_files": 5}, ["/min_files"]),
        ({"min_files": 0}, []),
        ({"min_files": -1}, ["/min_files"]),
        ({"required": {}}, ["/required"]),
        ({"required": [{"key": "A", "title": "", "x": 1}]},
         ["/required/0/x", "/required/0/title", "/required/0/key"]),
        ({"required": [{"key": "a", "title": "A"}] * 2}, ["/required/1"]),
        ({"retention_days": 3650}, []),
        ({"retention_days": 0}, ["/retention_days"]),
        ({"retention_days": 3651}, ["/retention_days"]),
        ({"colour": 1}, ["/colour"]),
    ],
)  # fmt: skip
def test_faults_are_named_by_pointer(changes: dict[str, Any], faults: list[str]) -> None:
    assert pointers(raw(**changes)) == faults


@pytest.mark.parametrize("upload", [None, [], "pdf", 3])
def test_an_upload_is_an_object(upload: Any) -> None:
    assert pointers(upload) == [""]


@given(
    st.dictionaries(
        st.sampled_from([*raw(), "other"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers() | st.text()),
    )
)
def test_no_json_makes_the_check_fail(changes: dict[str, Any]) -> None:
    if not pointers(raw(**changes)):
        UploadScope.of(raw(**changes))


@pytest.mark.parametrize(
    ("name", "size", "files", "refusal"),
    [
        ("a.pdf", 1, 0, None),
        ("a.pdf", None, 3, None),
        ("a.pdf", 50 * MIB, 0, None),
        ("a.csv", 60 * MIB, 0, None),
        ("a.csv", 60 * MIB + 1, 0, (UploadReason.TOO_LARGE, "60 MB", "60.1 MB")),
        # What is inspected in one piece has a limit of its own.
        ("a.pdf", 50 * MIB + 1, 0, (UploadReason.TOO_LARGE, "50 MB", "50.1 MB")),
        ("a.pdf", 0, 0, (UploadReason.EMPTY, "1 byte to 50 MB", "0 bytes")),
        ("a.pdf", 1, 4, (UploadReason.TOO_MANY, "4", "5")),
        ("a.png", 1, 0, (UploadReason.KIND_NOT_ALLOWED, "PDF, JPEG, CSV", ".png")),
        ("a.pdf.exe", 1, 0, (UploadReason.KIND_NOT_ALLOWED, "PDF, JPEG, CSV", ".exe")),
        ("README", 1, 0, (UploadReason.KIND_NOT_ALLOWED, "PDF, JPEG, CSV", "README")),
    ],
)
def test_a_file_is_judged_before_it_is_sent(
    name: str, size: int | None, files: int, refusal: tuple[UploadReason, str, str] | None
) -> None:
    # PS-40
    expected = UploadRefusal(*refusal) if refusal else None
    assert SCOPE.refuses_file(name, size, files) == expected


def test_kinds_are_told_with_their_limits() -> None:
    """A page that named the largest would let a picture be sent for nothing."""
    kinds = FileKind.PDF, FileKind.JPEG
    assert SCOPE.kinds_by_limit == ((50 * MIB, kinds), (60 * MIB, (FileKind.CSV,)))
    small = UploadScope.of(raw(max_bytes=MIB))
    assert small.kinds_by_limit == ((MIB, (*kinds, FileKind.CSV)),)
    assert SCOPE.at_most(MIB).kinds_by_limit == small.kinds_by_limit
    assert small.at_most(2 * MIB) == small


@pytest.mark.parametrize(
    ("slot", "filled", "refusal"),
    [
        ("insurance", [], None),
        ("insurance", ["registration", "", ""], None),
        ("", [""], None),
        ("insurance", ["insurance"], (UploadReason.SLOT_TAKEN, "1", "2")),
        # Two of four places are kept for what is required.
        ("", ["", ""], (UploadReason.TOO_MANY, "2", "3")),
        ("passport", [],
         (UploadReason.UNKNOWN_SLOT, 'insurance, registration, ""', "passport")),
    ],
)  # fmt: skip
def test_a_place_takes_its_files(
    slot: str, filled: list[str], refusal: tuple[UploadReason, str, str] | None
) -> None:
    expected = UploadRefusal(*refusal) if refusal else None
    assert SCOPE.refuses_slot(slot, filled) == expected


@pytest.mark.parametrize(
    ("filled", "missing"),
    [
        ([], (INSURANCE, REGISTRATION, UNNAMED)),
        ([""], (INSURANCE, REGISTRATION)),
        (["", "", ""], (INSURANCE, REGISTRATION)),
        (["insurance"], (REGISTRATION, UNNAMED)),
        (["registration", "insurance"], (UNNAMED,)),
        (["registration", "insurance", ""], ()),
        (["registration", "insurance", "", ""], ()),
    ],
)
def test_what_is_missing_before_submitting(filled: list[str], missing: tuple[Slot, ...]) -> None:
    # PS-40
    assert SCOPE.missing(filled) == missing
    assert SCOPE.refuses_submission(filled) is None


def test_more_than_the_most_is_refused_at_submitting() -> None:
    refusal = SCOPE.refuses_submission([""] * 5)
    assert refusal == UploadRefusal(UploadReason.TOO_MANY, "4", "5")


@pytest.mark.parametrize(
    ("kind", "head", "refusal"),
    [
        (FileKind.PDF, b"%PDF-1.7", None),
        (FileKind.PDF, b"", (UploadReason.EMPTY, "1 byte", "0 bytes")),
        (FileKind.PDF, b"\xff\xd8\xff", (UploadReason.CONTENT_DIFFERS, "PDF", "JPEG")),
        (FileKind.TXT, b"<html>", (UploadReason.CONTENT_DIFFERS, "TXT", "other content")),
        (
            FileKind.DOCX,
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            (UploadReason.ENCRYPTED_DOCUMENT, "no password", "password"),
        ),
    ],
)
def test_content_is_compared_with_the_name(
    kind: FileKind, head: bytes, refusal: tuple[UploadReason, str, str] | None
) -> None:
    assert refuses_content(kind, head) == (UploadRefusal(*refusal) if refusal else None)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (1025, "2 KB"),
        (MIB, "1 MB"),
        (MIB + 1, "1.1 MB"),
        (25 * MIB, "25 MB"),
    ],
)
def test_sizes_for_people_are_rounded_up(size: int, text: str) -> None:
    assert size_text(size) == text


def test_the_error_names_reason_limit_and_what_was_given() -> None:
    error = refused(UploadReason.TOO_LARGE, "25 MB", "31 MB")
    assert isinstance(error, UploadRefused)
    assert str(error) == "This file is refused (too_large): 25 MB; given: 31 MB."
