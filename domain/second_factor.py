"""The second factor of members: who is asked for one at the sign-in, and what a recovery code is.

Sources: RFC 6238, OWASP ASVS 5.0 chapters 6.5 and 7.5.
"""

from datetime import timedelta
from enum import StrEnum

from domain.setting import MINUTE

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 bits of chance: nobody guesses one, and it is typed in a minute."""
GROUP = 4
ENROLMENT_LIFE = timedelta(minutes=10)
APP_DIGITS = 6
APP_STEP = MINUTE / 2
LOOKALIKES = str.maketrans({"0": "o", "1": "l", "8": "b", "9": "g"})
"""What base32 does not have, read as what it looks like."""


class SecondFactorRule(StrEnum):
    """What a workspace asks of its members after the password."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Asked(StrEnum):
    """What comes after the right password."""

    NOTHING = ""
    CODE = "code"
    ENROLMENT = "enrolment"


def asked_after_password(rule: SecondFactorRule, *, has_one: bool, is_trusted: bool) -> Asked:
    """What a member is asked for; a trusted browser stands for the second factor alone (SH-11)."""
    if rule is SecondFactorRule.OFF:
        return Asked.NOTHING
    if has_one:
        return Asked.NOTHING if is_trusted else Asked.CODE
    return Asked.ENROLMENT if rule is SecondFactorRule.REQUIRED else Asked.NOTHING


def plain_code(typed: str) -> str:
    """A code without what people put between its characters."""
    return "".join(each for each in typed.casefold() if each.isascii() and each.isalnum())


def is_app_code(plain: str) -> bool:
    """Whether it can be from an authenticator app; everything else may be a recovery code."""
    return len(plain) == APP_DIGITS and plain.isdigit()


def plain_recovery_code(plain: str) -> str:
    """A recovery code as it was made, whatever a reader took for a digit."""
    return plain.translate(LOOKALIKES)


def grouped_key(text: str) -> str:
    """A key or recovery code in groups of four, as people copy it."""
    return " ".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))
