"""Authenticator apps: their keys, what a phone reads them from, and the codes they show (RFC 6238).

Codes are told with the time code they are of, so that each is good once (ASVS 6.5.1).
"""

import base64
import secrets
from datetime import datetime

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError

from domain.second_factor import APP_DIGITS, APP_STEP, RECOVERY_BYTES

SECONDS = int(APP_STEP.total_seconds())
DRIFT = 1
"""Time steps a phone's clock may be off, each way (RFC 6238 5.2)."""
NO_CODE = 0


def new_key() -> str:
    """A key of 160 bits, as apps take it (RFC 4226 4)."""
    return pyotp.random_base32()


def new_recovery_code() -> str:
    """A recovery code, without spaces."""
    return base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()


def _totp(key: str) -> pyotp.TOTP:
    return pyotp.TOTP(key, digits=APP_DIGITS, interval=SECONDS)


def time_code_of(key: str, code: str, at: datetime) -> int:
    """The time code that a code is of, or `NO_CODE` if the app does not show it about now."""
    try:
        found = _totp(key).verify_and_get_timecode(code, for_time=at, valid_window=DRIFT)
    except OTPVerificationError:
        return NO_CODE
    return int(found)


def picture_of(key: str, account: str, issuer: str) -> str:
    """What a phone's camera reads the key from: SVG without styles, for a policy that has none."""
    address = _totp(key).provisioning_uri(name=account, issuer_name=issuer)
    code = segno.make(address, error="m", micro=False)
    return str(code.svg_inline(omitsize=True, dark="#000", light="#fff"))
