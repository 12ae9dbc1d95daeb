import base64
import stat
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.keyring import (
    Keyring,
    link_digest,
    read_link_token,
    same_code,
)
from adapters.root_key import KeyFileError, RootKeyFile, create_key_file

ONE, TWO = UUID(int=1), UUID(int=2)
OLD = Keyring({1: bytes(32)})
NEW = Keyring({1: bytes(32), 2: bytes(range(32))})


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "root.key"
    create_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    before = path.read_text()
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_key_file(path)
    assert path.read_text() == before
    assert list(RootKeyFile(path).read()) == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one key"),
        (f"1 {base64.b64encode(bytes(31)).decode()}\n", "at least one key of 32 bytes"),
        ("1 not-base64!\n", "lines of `version base64-key`"),
        ("one\n", "lines of `version base64-key`"),
    ],
)
def test_a_bad_key_file_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "root.key"
    path.write_text(text)
    with pytest.raises(KeyFileError, match=message):
        RootKeyFile(path).read()


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="gatepass keyring create"):
        RootKeyFile(tmp_path / "root.key").read()


def test_a_link_depends_on_session_epoch_and_version() -> None:
    # C14: only another epoch makes another link
    link = OLD.link_token(ONE, 1, 1)
    assert link == NEW.link_token(ONE, 1, 1)
    others = {
        NEW.link_token(TWO, 1, 1),
        NEW.link_token(ONE, 2, 1),
        NEW.link_token(ONE, 1, 2),
    }
    assert len(others | {link}) == 4


@given(st.uuids(), st.integers(1, 1000))
def test_a_link_is_short_and_survives_what_mail_clients_do(session: UUID, epoch: int) -> None:
    # SX-13
    link = OLD.link_token(session, epoch, 1)
    assert len(link) == 32
    assert len(f"/s/{link}") <= 60
    mangled = f" {link[:9].upper()}=\r\n {link[9:]}.> "
    assert read_link_token(mangled) == link
    assert link_digest(read_link_token(link)) == link_digest(link)


def test_secrets_of_different_purposes_never_meet() -> None:
    assert OLD.digest("door", "x") != OLD.digest("binding", "x")
    assert OLD.digest("door", "x") == NEW.digest("door", "x", 1)
    assert OLD.digest("door", "x") != NEW.digest("door", "x")
    assert NEW.digests("door", "x") == [NEW.digest("door", "x", 1), NEW.digest("door", "x", 2)]


def test_a_cookie_depends_on_the_door() -> None:
    secret = OLD.binding_secret(ONE, "door", 1)
    assert secret == NEW.binding_secret(ONE, "door", 1)
    assert len({secret, NEW.binding_secret(ONE, "d", 1), NEW.binding_secret(TWO, "door", 1)}) == 3
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32


@given(st.integers(0, 10_000), st.sampled_from([6, 7, 8, 9]))
def test_a_code_has_its_digits_and_belongs_to_its_session(counter: int, digits: int) -> None:
    # C11
    code = OLD.code(ONE, counter, 1, digits)
    assert len(code) == digits
    assert code.isdigit()
    assert same_code(f" {code[:3]}-{code[3:]} ", code)
    assert not same_code(code[1:] + str((int(code[-1]) + 1) % 10), code)


def test_a_code_never_repeats_by_accident_of_counting() -> None:
    codes = [OLD.code(ONE, counter, 1, 8) for counter in range(200)]
    assert len(set(codes)) > 195
    assert codes != [OLD.code(TWO, counter, 1, 8) for counter in range(200)]


@pytest.mark.parametrize("typed", ["", "١٢٣٤٥٦٧٨", "1234567", "123456789", "12345678x9"])
def test_what_is_not_the_code(typed: str) -> None:
    assert not same_code(typed, "12345678")


def test_an_address_is_found_in_any_spelling_and_under_any_version() -> None:
    assert OLD.address_digest("Anna@Example.com") == NEW.address_digest("anna@example.COM")
    assert OLD.address_digest("anna@example.com") != OLD.address_digest("anne@example.com")
