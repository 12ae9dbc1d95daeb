"""Who is asked for a second factor, what codes look like, and how an app's key is shown."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from adapters.authenticator import NO_CODE, new_key, new_recovery_code, picture_of, time_code_of
from domain.second_factor import (
    Asked,
    SecondFactorRule,
    asked_after_password,
    grouped_key,
    is_app_code,
    plain_code,
    plain_recovery_code,
)

OFF, OPTIONAL, REQUIRED = SecondFactorRule
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "has_one", "is_trusted", "asked"),
    [
        (OFF, True, False, Asked.NOTHING),
        (OFF, False, False, Asked.NOTHING),
        (OPTIONAL, False, False, Asked.NOTHING),
        (OPTIONAL, True, False, Asked.CODE),
        (OPTIONAL, True, True, Asked.NOTHING),
        (REQUIRED, False, False, Asked.ENROLMENT),
        (REQUIRED, False, True, Asked.ENROLMENT),
        (REQUIRED, True, False, Asked.CODE),
        (REQUIRED, True, True, Asked.NOTHING),
    ],
)
def test_who_is_asked_for_what(
    rule: SecondFactorRule, has_one: bool, is_trusted: bool, asked: Asked
) -> None:
    # SH-11
    assert asked_after_password(rule, has_one=has_one, is_trusted=is_trusted) is asked


def test_codes_are_read_as_people_write_them() -> None:
    assert plain_code(" 123 456 ") == "123456"
    assert is_app_code("123456")
    assert not any(is_app_code(each) for each in ("12345", "1234567", "12345a", ""))
    assert plain_code("٣٣٣٣٣٣") == ""
    code = new_recovery_code()
    assert plain_recovery_code(plain_code(grouped_key(code).upper())) == code
    assert plain_recovery_code("a0b1c8d9") == "aobl" + "cbdg"
    assert not is_app_code(code)


def test_a_code_tells_its_time_code_within_a_step_of_drift() -> None:
    # ASVS 6.5.5
    key = new_key()
    code = pyotp.TOTP(key).at(AT)
    now = int(AT.timestamp()) // 30
    for drift in (-30, 0, 30):
        assert time_code_of(key, code, AT + timedelta(seconds=drift)) == now
    for drift in (-31, 60):
        assert time_code_of(key, code, AT + timedelta(seconds=drift)) == NO_CODE


def test_the_picture_needs_no_styles() -> None:
    # Our policy has no inline styles.
    picture = picture_of(new_key(), "anna@office.example", "Office & Co")
    assert picture.startswith("<svg")
    assert not re.search(r"style|<script|href", picture)
    assert 'fill="#fff"' in picture
