import base64
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.checkpoint import (
    Checkpoint,
    CheckpointInvalid,
    Signer,
    fingerprint,
    read_checkpoint,
    signed_text,
)

NAME = "gatepass/0190c3a4-0000-7000-8000-000000000001"
SIGNER = Signer(NAME, bytes(range(32)))
ROOT = hashlib.sha256(b"root").digest()
NOTE = SIGNER.sign(NAME, 12, ROOT)

# the example of Go's golang.org/x/mod/sumdb/note, from which C2SP's format was taken
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_keys_and_notes_are_those_of_go() -> None:
    assert Signer("PeterNeumann", GO_SEED).vkey == GO_VKEY
    assert signed_text(GO_NOTE, GO_VKEY) == GO_TEXT


def test_a_checkpoint_is_written_as_c2sp_says() -> None:
    text, signature = NOTE.split("\n\n")
    assert text == f"{NAME}\n12\n{base64.b64encode(ROOT).decode()}"
    dash, name, blob = signature.removesuffix("\n").split(" ")
    public = base64.b64decode(SIGNER.vkey.split("+", 2)[2])
    key_id = hashlib.sha256(NAME.encode() + b"\n" + public).digest()[:4]
    assert (dash, name) == ("—", NAME)
    assert base64.b64decode(blob)[:4] == key_id
    assert SIGNER.vkey == f"{NAME}+{key_id.hex()}+{base64.b64encode(public).decode()}"
    assert public[0] == 1
    assert fingerprint(SIGNER.vkey) == hashlib.sha256(public[1:]).hexdigest()


def test_what_was_signed_is_read() -> None:
    assert read_checkpoint(NOTE, SIGNER.vkey) == Checkpoint(NAME, 12, ROOT, NOTE)


@given(st.integers(0, 2**63), st.binary(min_size=32, max_size=32))
def test_any_head_comes_back(size: int, root: bytes) -> None:
    read = read_checkpoint(SIGNER.sign(NAME, size, root), SIGNER.vkey)
    assert (read.size, read.root) == (size, root)


def test_signatures_of_others_are_passed_over() -> None:
    witness = Signer("witness.example", bytes(32)).sign("witness.example", 1, ROOT)
    line = witness.split("\n\n")[1]
    assert read_checkpoint(NOTE + line, SIGNER.vkey).size == 12
    same_name = Signer(NAME, bytes(32)).sign(NAME, 12, ROOT).split("\n\n")[1]
    assert read_checkpoint(NOTE + same_name, SIGNER.vkey).size == 12


def test_one_bad_signature_of_ours_refuses_the_note() -> None:
    of_another_text = SIGNER.sign(NAME, 13, ROOT).split("\n\n")[1]
    with pytest.raises(CheckpointInvalid):
        read_checkpoint(NOTE + of_another_text, SIGNER.vkey)


@given(st.data())
def test_no_changed_note_is_read(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(NOTE) - 1))
    other = data.draw(st.characters(exclude_characters=NOTE[at]))
    for changed in (NOTE[:at] + other + NOTE[at + 1 :], NOTE[:at] + NOTE[at + 1 :]):
        with pytest.raises(CheckpointInvalid):
            read_checkpoint(changed, SIGNER.vkey)


def signing(text: str, signer: Signer = SIGNER) -> str:
    """A note of any text at all."""
    encoded = base64.b64decode(signer.vkey.split("+", 2)[2])
    key_id = hashlib.sha256(f"{signer.name}\n".encode() + encoded).digest()[:4]
    signature = signer._private.sign(text.encode())
    return f"{text}\n— {signer.name} {base64.b64encode(key_id + signature).decode()}\n"


TYPE_ONLY = hashlib.sha256(f"{NAME}\n\x01".encode()).hexdigest()[:8]
HEAD = base64.b64encode(ROOT).decode()
LOOSE = f"{HEAD[:-2]}{chr(ord(HEAD[-2]) + 1)}="
"""The same root, as its last two bits are nobody's."""


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n012\n{HEAD}\n",
        f"{NAME}\n-1\n{HEAD}\n",
        f"{NAME}\n1_2\n{HEAD}\n",
        f"{NAME}\n１２\n{HEAD}\n",
        f"{NAME}\n{'9' * 5000}\n{HEAD}\n",
        f"{NAME}\n\n{HEAD}\n",
        f"{NAME}\n12\n{HEAD[:-4]}\n",
        f"{NAME}\n12\n{HEAD[:-1]}\n",
        f"{NAME}\n12\n!{HEAD}\n",
        f"{NAME}\n12\n{LOOSE}\n",
        f"{NAME}\n12\n{HEAD}\nextension\n",
        f"{NAME}\n12\n",
        f"gatepass/another\n12\n{HEAD}\n",
        f"{NAME}\t\n12\n{HEAD}\n",
    ],
)
def test_a_good_signature_alone_makes_no_checkpoint(text: str) -> None:
    assert base64.b64decode(LOOSE) == ROOT
    assert read_checkpoint(signing(f"{NAME}\n12\n{HEAD}\n"), SIGNER.vkey).root == ROOT
    with pytest.raises(CheckpointInvalid):
        read_checkpoint(signing(text), SIGNER.vkey)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        NOTE.split("\n\n", maxsplit=1)[0],
        NOTE.rstrip(),
        NOTE.replace("—", "-"),
        NOTE + "\ud800\n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(CheckpointInvalid):
        read_checkpoint(note, SIGNER.vkey)


@pytest.mark.parametrize(
    "change",
    [
        lambda vkey: "",
        lambda vkey: vkey[:-4],
        lambda vkey: vkey.replace("+", " ", 1),
        lambda vkey: vkey.replace("gatepass", "gatepasz"),
        lambda vkey: f"+{vkey.split('+', 1)[1]}",
        lambda vkey: Signer(NAME, bytes(32)).vkey,
        lambda vkey: f"{NAME}+{TYPE_ONLY}+AQ==",
    ],
)
def test_another_key_or_none_reads_nothing(change: Callable[[str], str]) -> None:
    with pytest.raises(CheckpointInvalid):
        read_checkpoint(NOTE, change(SIGNER.vkey))


@pytest.mark.parametrize("name", ["", "with space", "a+b", "a\nb", "a\u00a0b"])
def test_names_have_no_spaces_and_no_plus(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Signer(name, bytes(32))


def test_a_seed_has_32_bytes_and_is_not_shown() -> None:
    with pytest.raises(ValueError, match="32"):
        Signer(NAME, bytes(31))
    assert "x00" not in repr(Signer(NAME, bytes(32)))


@pytest.mark.parametrize(
    ("origin", "size", "root"), [("x", 1, ROOT), (NAME, -1, ROOT), (NAME, 1, b"")]
)
def test_nothing_is_signed_that_nobody_would_read(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(ValueError, match="a "):
        SIGNER.sign(origin, size, root)
