"""Passkeys as browsers speak of them (Web Authentication, W3C): what is asked, what is answered.

The person is verified by the device, and the answer is for our origin alone: what is typed into a
page that looks like ours is of no use here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

VERIFIED = UserVerificationRequirement.REQUIRED
LONGEST_ANSWER = 16 * 1024
MALFORMED = (
    WebAuthnException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What the library makes of an answer that is none."""


class PasskeyRefused(Exception):
    """The answer is not one to this question, or not of this passkey."""


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except MALFORMED as error:
        raise PasskeyRefused from error


@dataclass(frozen=True, slots=True)
class Site:
    """Who asks: what browsers tie a passkey to."""

    origin: str
    host: str

    @classmethod
    def at(cls, public_url: str) -> "Site":
        """The site that members reach."""
        parts = urlsplit(public_url)
        return cls(f"{parts.scheme}://{parts.netloc}", parts.hostname or "")


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a device has made."""

    credential: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom a passkey is made: the id stays, name and address are shown by the device."""

    id: bytes
    email: str
    name: str
    company: str


def creation_options(site: Site, holder: Holder, challenge: bytes, known: list[str]) -> str:
    """What a browser is asked to make a passkey by; a device that has one of `known` refuses."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=holder.company,
        user_id=holder.id,
        user_name=holder.email,
        user_display_name=holder.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known
        ],
    )
    return options_to_json(options)


def read_creation(site: Site, answer: str, challenge: bytes) -> NewPasskey:
    """The passkey that a device has made; raises `PasskeyRefused`."""
    with _refusing():
        made = verify_registration_response(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    return NewPasskey(
        bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count
    )


def request_options(site: Site, challenge: bytes) -> str:
    """What a browser is asked to sign in by: any passkey that it has for us."""
    options = generate_authentication_options(
        rp_id=site.host, challenge=challenge, user_verification=VERIFIED
    )
    return options_to_json(options)


def credential_in(answer: str) -> str:
    """Which passkey an answer claims to be of; raises `PasskeyRefused`."""
    with _refusing():
        found = parse_authentication_credential_json(answer[:LONGEST_ANSWER])
        named = bytes_to_base64url(found.raw_id)
    if named != found.id:
        raise PasskeyRefused
    return named


def sign_count_of(
    site: Site, answer: str, challenge: bytes, public_key: bytes, sign_count: int
) -> int:
    """How often the passkey was used by now; raises `PasskeyRefused`, also if that went back.

    A count that does not rise is of a copy (WebAuthn 6.1.1); devices that do not count say 0.
    """
    with _refusing():
        found = verify_authentication_response(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    return found.new_sign_count
