"""Whatever comes from outside is read or refused: no parser lets another exception out.

Each property takes what a stranger could send and allows the one refusal that the parser declares.
`make fuzz` runs the same with thousands of examples, other ones each time.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi import HTTPException
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from adapters.aead import RecordKey, Undecipherable, number_of
from adapters.audit_verify import Broken, verify_file
from adapters.checkpoint import CheckpointInvalid, fingerprint, read_checkpoint
from adapters.delivery_report import DeliveryReport, read_report
from adapters.file_cipher import FileKey, SealedFile, sealed
from adapters.form_check import check, faults_of
from adapters.keyring import BASE32, same_code
from adapters.languages import available, negotiate
from adapters.temporal_codec import ENCODING, InstallationCodec
from api.code_page import _digits
from api.form_post import values_from
from api.link import LINK_CHARACTERS, link_in
from api.upload_post import parts_of, raw_chunks
from domain.byte_range import ByteRange, range_asked
from domain.errors import CursorInvalid, RangeRefused
from domain.fault import Fault
from domain.file_kind import FileKind, agrees, is_encrypted_office, kind_of_content, kind_of_name
from domain.file_name import LONGEST_NAME, clean_name
from domain.form import Form
from domain.form_field_faults import EVERY_KIND, KEYWORDS
from domain.upload import UploadRefused
from store.page import key_of, place_of
from tests.unit.test_audit_verify import NAME, SIGNER, entries, export, receipt, text_of
from tests.unit.test_temporal_codec import Keys
from tests.unit.test_upload_post import FORM, Sender, file_part, form_of, request_of

ENOUGH = settings(
    max_examples=2 * settings().max_examples,
    suppress_health_check=[HealthCheck.too_slow],  # other people are busy on this machine
)


@st.composite
def mutated(draw: st.DrawFn, originals: st.SearchStrategy[bytes]) -> bytes:
    """Something whole of which a few places were overwritten, taken out, doubled or filled in."""
    found = draw(originals)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(found)))
        end = draw(st.integers(start, min(len(found), start + 40)))
        middle = draw(st.binary(max_size=12) | st.just(found[start:end] * 2))
        found = found[:start] + middle + found[end:]
    return found


def bytes_like(*originals: bytes) -> st.SearchStrategy[bytes]:
    """Bytes of any kind, and what is nearly right."""
    return st.binary(max_size=300) | mutated(st.sampled_from(originals))


WORDS = st.text(max_size=12) | st.text("0123456789", min_size=1, max_size=20)
NUMBERS = st.integers() | st.floats() | st.sampled_from([1e-320, 5e-324, 10**400, 2**63, -0.0])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


# What is sealed.

KEYS = Keys()
KEY = RecordKey(2, bytes(32))
RECORD = KEY.seal(b"value", b"here")
SEALED = Payload(metadata={"encoding": ENCODING}, data=KEYS.new.seal(b"\x0a\x00", b"elsewhere"))


@ENOUGH
@given(bytes_like(RECORD))
def test_a_record_opens_or_is_undecipherable(record: bytes) -> None:
    with suppress(Undecipherable):
        assert number_of(record) >= 0
    with suppress(Undecipherable):
        assert (KEY.open(record, b"here"), record) == (b"value", RECORD)


@ENOUGH
@given(st.lists(bytes_like(SEALED.data), max_size=3), st.booleans())
async def test_temporals_payloads_open_or_are_undecipherable(
    records: list[bytes], is_marked: bool
) -> None:
    metadata = {"encoding": ENCODING if is_marked else b"json/plain"}
    payloads = [Payload(metadata=metadata, data=each) for each in records]
    with suppress(Undecipherable):
        assert await InstallationCodec(KEYS, "gatepass").decode(payloads) == payloads
        assert not (is_marked and payloads)


class Held:
    """A sealed file in memory, which may be shorter than it said."""

    def __init__(self, content: bytes, size: int | None = None) -> None:
        self.content, self.size = content, len(content) if size is None else size

    async def read(self, start: int, end: int) -> bytes:
        """The bytes that are there."""
        return self.content[start:end]


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


FILE_KEY = FileKey(bytes(32), b"here")


@ENOUGH
@given(st.data(), st.none() | st.integers(0, 2**70))
async def test_a_file_opens_or_is_undecipherable(data: st.DataObject, size: int | None) -> None:
    whole = b"".join([each async for each in sealed(FILE_KEY, once(b"content"))])
    content = data.draw(bytes_like(whole))
    with suppress(Undecipherable):
        file = await SealedFile.opened(Held(content, size), FILE_KEY)
        assert b"".join([each async for each in file.chunks()]) == b"content"


# The audit log, as somebody hands it to an auditor.

OF = entries(Random(7), 6)
LOG, RECEIPT = export(OF, [2, 4]), receipt(OF, [1, 3])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


def checked(folder: Path, content: bytes, key: str | None, *outside: bytes) -> None:
    """Verifies it; whatever is wrong is `Broken`."""
    file = folder / "log"
    file.write_bytes(content)
    kept = [folder / f"kept-{number}" for number in range(len(outside))]
    for path, each in zip(kept, outside, strict=True):
        path.write_bytes(each)
    with suppress(Broken):
        assert verify_file(file, key, kept).text().isascii()


NOTE = json.loads(RECEIPT)["checkpoint"]
KEPT = [NOTE.encode(), LOG.encode(), RECEIPT.encode()]


@ENOUGH
@given(
    bytes_like(LOG.encode(), RECEIPT.encode()),
    st.sampled_from([None, SIGNER.vkey]) | st.text(max_size=20),
    st.lists(bytes_like(*KEPT), max_size=1),
)
def test_a_log_holds_or_is_broken(
    folder: Path, content: bytes, key: str | None, outside: list[bytes]
) -> None:
    checked(folder, content, key, *outside)


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    pairs: Any = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    return [at, *(place for name, each in pairs for place in places(each, (*at, name)))]


def with_at(value: Any, at: Sequence[str | int], new: object) -> Any:
    """The value with another one at a place."""
    if not at:
        return new
    copy: Any = value.copy()
    copy[at[0]] = with_at(value[at[0]], at[1:], new)
    return copy


@st.composite
def signed_texts(draw: st.DrawFn) -> str:
    """What only the holder of the key could sign: a note over any text."""
    lines = draw(st.lists(WORDS | st.just(NAME), max_size=4))
    text = "\n".join(lines) + "\n"
    honest = SIGNER.sign(NAME, 1, bytes(32))
    signature = honest.rpartition(" ")[2]
    return f"{text}\n— {NAME} {signature}"


@ENOUGH
@given(st.sampled_from([LOG, RECEIPT]), st.data())
def test_a_log_whose_values_are_anything_is_broken(
    folder: Path, text: str, data: st.DataObject
) -> None:
    lines = [json.loads(each) for each in text.splitlines()]
    for _ in range(data.draw(st.integers(1, 2))):
        number = data.draw(st.integers(0, len(lines) - 1))
        at = data.draw(st.sampled_from(places(lines[number])))
        lines[number] = with_at(lines[number], at, data.draw(JSON | signed_texts()))
    try:
        content = text_of(lines)
    except ValueError:  # no canonical JSON has it
        content = json.dumps(lines[0]) + "\n"
    checked(folder, content.encode("utf-8", "surrogatepass"), SIGNER.vkey)


@ENOUGH
@given(st.text(max_size=60) | signed_texts() | mutated(st.just(KEPT[0])).map(repr), st.text())
def test_a_note_is_a_checkpoint_or_invalid(note: str, key: str) -> None:
    for each in (SIGNER.vkey, key, f"{NAME}+{key}"):
        with suppress(CheckpointInvalid):
            read_checkpoint(note, each)
        with suppress(CheckpointInvalid):
            fingerprint(each)


# Forms.

MEANT = (
    "string integer number array boolean object date email long_text phone country one "
    "#/$defs/one #/$defs/ party.name party.email [a-z]+ (?:a a{9}{9}{9} [[a] \\p{L} 2026-02-30"
)
VALUES = st.sampled_from(MEANT.split()) | JSON
MEMBERS = sorted({"$ref", *EVERY_KIND - {"title", "x-ui"}, *" ".join(KEYWORDS.values()).split()})
HINTS = st.dictionaries(
    st.sampled_from(["widget", "labels", "min", "max", "prefill", "write_back", "autocomplete"]),
    VALUES,
    max_size=3,
)


ANY_MEMBERS = st.fixed_dictionaries(
    {"title": st.just("A field")},
    optional=dict.fromkeys(MEMBERS, VALUES) | {"x-ui": HINTS | JSON},
)
"""A property: some members that a field has, with values that it may not have."""
OPTIONS = st.lists(st.sampled_from(MEANT.split()), max_size=2) | st.lists(VALUES, max_size=3)
ITEMS = st.fixed_dictionaries({"type": st.just("string"), "enum": OPTIONS})
PATTERNS = st.text("ab[](){}?*+|\\^$.,-:0123456789dpL", max_size=12)
KINDS: list[dict[str, st.SearchStrategy[Any]]] = [
    {"type": st.sampled_from(["number", "integer"])},
    {"type": st.just("number"), "multipleOf": NUMBERS, "minimum": NUMBERS},
    {"type": st.just("string"), "enum": OPTIONS},
    {"type": st.just("array"), "items": ITEMS},
    {"type": st.just("string"), "pattern": PATTERNS},
]


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """A property that is nearly one of the kinds."""
    kind = draw(st.sampled_from(KINDS))
    few = draw(st.sets(st.sampled_from(MEMBERS), max_size=1))
    spec = {"title": "A field"} | {name: draw(VALUES) for name in few}
    return spec | {name: draw(each) for name, each in kind.items()}


FORMS = st.fixed_dictionaries(
    {
        "title": st.just("A form"),
        "schema": st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(
                    st.sampled_from(["one", "two"]) | WORDS,
                    fields() | ANY_MEMBERS | JSON,
                    max_size=2,
                ),
            },
            optional={
                "$defs": st.dictionaries(st.just("one"), fields() | JSON, max_size=1) | JSON,
                "required": st.lists(st.sampled_from(["one", "two"]), max_size=2) | JSON,
                "x-ui": st.fixed_dictionaries({"sections": JSON}) | JSON,
                "description": VALUES,
            },
        ),
    }
)


SMALL_FORMS = fields().map(
    lambda spec: {"title": "A form", "schema": {"type": "object", "properties": {"one": spec}}}
)


@ENOUGH
@given(
    FORMS | SMALL_FORMS | st.dictionaries(st.sampled_from(["title", "schema", "x"]), JSON),
    JSON,
    st.text(),
)
def test_a_form_is_sound_or_has_faults(form: dict[str, Any], answer: Any, typed: str) -> None:
    faults = faults_of(form)
    assert all(isinstance(each, Fault) for each in faults)
    if not faults:
        answers = dict.fromkeys(form["schema"]["properties"], answer)
        assert set(check(form["schema"], answers | {"more": answer}, str)) >= {"more"}
        posted = [(key, typed) for key in answers]
        check(form["schema"], values_from(Form.of(form), posted), str)


# What browsers send.

PARTS = form_of(file_part(b"content"), file_part(b"", "name=x"))
DISPOSITIONS = st.lists(
    st.sampled_from(
        [
            'name="a"',
            "filename=",
            "filename*=",
            "utf-8''a%FFb",
            "x''y",
            '"',
            ";",
            "=",
            "\\",
            "name*0=a",
            "name*1*=b",
            "filename*0*=utf-8'",
            "%22",
            "\xff",
            " ",
        ]
    )
    | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=5),
    max_size=6,
).map("".join)


MOST_BYTES = 2000


async def taken(
    body: bytes, content_type: str, length: str | None = None, sizes: Sequence[int] = (7, 1000)
) -> None:
    """Reads a body, in pieces of these sizes, as a form and as it is."""
    named = {} if length is None else {"content_length": length}
    for size in sizes:
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        request = request_of(Sender(pieces), content_type, **named)
        with suppress(HTTPException):
            async for part in parts_of(request, most_bytes=MOST_BYTES):
                if not part.is_file:
                    await part.text()
    request = request_of(Sender([body]), content_type, **named)
    with suppress(HTTPException):
        async for _ in raw_chunks(request, most_bytes=MOST_BYTES):
            pass


LATIN = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=30)
LENGTHS = st.none() | LATIN | st.sampled_from(["²", "9" * 5000])


@ENOUGH
@given(
    bytes_like(PARTS),
    st.just(FORM) | LATIN | DISPOSITIONS.map("multipart/form-data; boundary={}".format),
    LENGTHS,
)
async def test_a_body_is_a_form_or_refused(
    body: bytes, content_type: str, length: str | None
) -> None:
    await taken(body, content_type, length)


@ENOUGH
@given(DISPOSITIONS)
async def test_a_part_has_a_name_or_the_form_is_refused(disposition: str) -> None:
    part = file_part(b"content", "MARK").replace(b"MARK", disposition.encode("latin-1"))
    await taken(form_of(part), FORM)


NOISE = st.sampled_from(
    ["&#", "&#x", ";", "&amp", "=3D", "%20", "\r\n", "9" * 5000, "f" * 5000, "é", "\ud800"]
)
TYPED = st.lists(st.text(max_size=8) | NOISE, max_size=6).map("".join)


@ENOUGH
@given(TYPED)
@example("&#" + "9" * 5000)
def test_a_link_and_a_code_are_read_whatever_became_of_them(text: str) -> None:
    link = link_in(text)
    assert len(link) <= LINK_CHARACTERS
    assert set(link) <= set(BASE32)
    assert not same_code(text, "x")
    assert _digits(text) >= 0
    assert negotiate(text, text) in available()


PLACES = st.just("") | st.integers(0, 2**60) | st.text("0123456789", max_size=40)


@ENOUGH
@given(
    st.text(max_size=20)
    | st.builds("bytes={}{}-{}".format, st.sampled_from(["", " "]), PLACES, PLACES),
    st.integers(0, 2**50),
)
def test_a_range_is_within_the_file_or_none_or_refused(header: str, size: int) -> None:
    with suppress(RangeRefused):
        asked = range_asked(header, size)
        assert asked is None or isinstance(asked, ByteRange)
        assert asked is None or 0 <= asked.start < asked.end <= size


@ENOUGH
@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")))
def test_a_cursor_is_one_or_invalid(cursor: str) -> None:
    for read in (place_of, key_of):
        with suppress(CursorInvalid):
            read(cursor)


# What mail servers send.

REPORT = b"""From: a@b.example
Content-Type: multipart/report; report-type=delivery-status; boundary="b"
In-Reply-To: <x@y.example>

--b
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

Final-Recipient: rfc822; vera@vendor.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: message/rfc822

Message-ID: <m@gatepass.example>

--b--
"""
MAIL_WORDS = [
    b"message/rfc822",
    b"text/rfc822-headers",
    b"=?utf-8?q?=ff?=",
    b"charset=nonsense",
    b"multipart/mixed",
    b"boundary*0*=x''b",
    b"Action: ",
    b"quoted-printable",
    b"uuencode",
    b"Content-Type: ",
    b"message/global-delivery-status",
    b"\xff\xfe",
    b"\n\n",
]


@ENOUGH
@given(bytes_like(REPORT, REPORT.replace(b"base64", b"7bit")), st.data())
def test_a_report_is_read_or_none(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw)))
    word = data.draw(st.sampled_from(MAIL_WORDS))
    for each in (raw, raw[:at] + word + raw[at:]):
        assert isinstance(read_report(each), DeliveryReport | None)


# Files.

HEADS = [
    b"%PDF-1.7",
    b"PK\x03\x04" + bytes(26) + b"word/",
    b"\x00\x00\x00\x18ftypheic" + bytes(12),
    b"RIFF\0\0\0\0WEBP",
    b"\xff\xfe<\0h\0",
    b"\xef\xbb\xbf<!--",
    b"\xd0\xcf\x11\xe0",
]


@ENOUGH
@given(bytes_like(*HEADS))
def test_any_bytes_are_of_a_kind_or_of_none(head: bytes) -> None:
    seen = kind_of_content(head)
    assert seen is None or isinstance(seen, FileKind)
    assert all(isinstance(agrees(each, head), bool) for each in FileKind)
    assert not is_encrypted_office(head)


NAMES: list[Callable[[str], str]] = [str, lambda text: f"{text}.pdf", lambda text: f"CON{text}."]


@ENOUGH
@given(st.text(max_size=300), st.sampled_from(NAMES))
def test_any_name_is_made_clean_or_refused(text: str, of: Callable[[str], str]) -> None:
    kind_of_name(of(text))
    with suppress(UploadRefused):
        name = clean_name(of(text))
        assert 0 < len(name) <= LONGEST_NAME
        assert clean_name(name) == name
