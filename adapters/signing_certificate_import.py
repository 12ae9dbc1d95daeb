"""A certificate that a company has already, from the file it was given (PKCS #12, RFC 7292)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from asn1crypto import cms as asn1_cms  # type: ignore[import-untyped]  # has no types
from asn1crypto import pkcs12 as asn1_pkcs12
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from adapters.signing_certificate import SigningCertificate, is_issued, of_parts

LARGEST = 256 * 1024
SMALLEST_RSA, LARGEST_RSA = 2048, 4096
"""In bits. Twice as many take seconds to be read, which is done again for each seal."""
MOST_ITERATIONS = 2_000_000
"""Of the password's derivation, altogether, as far as they are counted before it begins."""
PATIENCE = timedelta(seconds=15)
"""For all that opening a file takes, whatever was not counted."""
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class CertificateReason(StrEnum):
    """Why a certificate is not taken."""

    UNREADABLE = "unreadable"
    TOO_SLOW = "too_slow"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    NO_KEY = "no_key"
    NAME_UNUSABLE = "name_unusable"
    WEAK_KEY = "weak_key"
    LARGE_KEY = "large_key"
    NOT_FOR_SIGNING = "not_for_signing"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


class CertificateRefused(Exception):
    """A certificate that documents cannot be sealed with."""

    def __init__(self, reason: CertificateReason) -> None:
        """Takes why; nothing of the file is in the text."""
        super().__init__(f"This certificate is refused: {reason}.")
        self.reason = reason


def imported(
    pkcs12_file: bytes, password: str, *, at: datetime, crls: Sequence[bytes] = ()
) -> SigningCertificate:
    """The certificate in a file, good at `at`; raises `CertificateRefused`.

    For the confined process, and for files of our own making: `signing_certificate_file` opens
    what somebody brings.
    Without revocation lists of those who issued it, in DER, its seals reach level B-B or B-T only.
    """
    key, leaf, others = _opened(pkcs12_file, password)
    _check_key(key)
    _check_leaf(leaf, at)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = of_parts(_chain(leaf, others), pem, crls)
    if not all(map(_can_be_named, certificate.certificates)):
        raise CertificateRefused(CertificateReason.NAME_UNUSABLE)
    return certificate


def _can_be_named(certificate: x509.Certificate) -> bool:
    """Whether its names can be compared (RFC 4518), as whoever checks a seal has to."""
    try:
        read = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
        return bool(read.subject.hashable and read.issuer.hashable)
    except ValueError:
        return False


def _opened(raw: bytes, password: str) -> tuple[Key, x509.Certificate, list[x509.Certificate]]:
    if not _is_pkcs12(raw):
        raise CertificateRefused(CertificateReason.UNREADABLE)
    if _iterations(raw) > MOST_ITERATIONS:
        raise CertificateRefused(CertificateReason.TOO_SLOW)
    try:
        opened = pkcs12.load_pkcs12(raw, password.encode() or None)
    except (ValueError, TypeError) as error:
        raise CertificateRefused(CertificateReason.WRONG_PASSWORD) from error
    if opened.key is None or opened.cert is None:
        raise CertificateRefused(CertificateReason.NO_KEY)
    if not isinstance(opened.key, Key):
        raise CertificateRefused(CertificateReason.WEAK_KEY)
    others = [each.certificate for each in opened.additional_certs]
    return opened.key, opened.cert.certificate, others


def _is_pkcs12(raw: bytes) -> bool:
    """By its outer frame; what is in it cannot be read without the password."""
    if len(raw) > LARGEST:
        return False
    try:
        return str(asn1_pkcs12.Pfx.load(raw, strict=True)["version"].native) == "v3"
    except (ValueError, TypeError, KeyError):
        return False


def _iterations(raw: bytes) -> int:
    """How often the password is derived to open a file, as far as that stands in the open."""
    try:
        pfx = asn1_pkcs12.Pfx.load(raw)
        mac = pfx["mac_data"].native
        return (mac["iterations"] if mac else 0) + sum(map(_of_content, pfx.authenticated_safe))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CertificateRefused(CertificateReason.UNREADABLE) from error


def _of_content(info: asn1_cms.ContentInfo) -> int:
    """Of what is locked as a whole, or of the locked keys in it."""
    if info["content_type"].native == "encrypted_data":
        content = info["content"]["encrypted_content_info"]
        return _of_algorithm(content["content_encryption_algorithm"])
    bags = asn1_pkcs12.SafeContents.load(info["content"].native)
    locked = [each for each in bags if each["bag_id"].native == "pkcs8_shrouded_key_bag"]
    return sum(_of_algorithm(each["bag_value"]["encryption_algorithm"]) for each in locked)


def _of_algorithm(algorithm: Any) -> int:
    """PBES2 names its derivation (RFC 8018 A.4); the older ones have the number themselves."""
    found = algorithm.native["parameters"]
    if algorithm["algorithm"].native == "pbes2":
        # Of any other than PBKDF2 nothing is counted: whoever opens the file limits the time.
        return int(found["key_derivation_func"]["parameters"].get("iteration_count", 0))
    return int(found["iterations"])


def _check_key(key: Key) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size > LARGEST_RSA:
            raise CertificateRefused(CertificateReason.LARGE_KEY)
        is_good = key.key_size >= SMALLEST_RSA
    else:
        is_good = isinstance(key.curve, _CURVES)
    if not is_good:
        raise CertificateRefused(CertificateReason.WEAK_KEY)


def _check_leaf(leaf: x509.Certificate, at: datetime) -> None:
    if at > leaf.not_valid_after_utc:
        raise CertificateRefused(CertificateReason.EXPIRED)
    if at < leaf.not_valid_before_utc:
        raise CertificateRefused(CertificateReason.NOT_YET_VALID)
    if not _signs(leaf):
        raise CertificateRefused(CertificateReason.NOT_FOR_SIGNING)


def _signs(leaf: x509.Certificate) -> bool:
    """Whether its usage has signatures, and it is no authority's (RFC 5280 4.2.1.3, 4.2.1.9)."""
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return not _is_authority(leaf)
    return (usage.digital_signature or usage.content_commitment) and not _is_authority(leaf)


def _is_authority(leaf: x509.Certificate) -> bool:
    try:
        return leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _chain(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """From the leaf up as far as the file goes, each signed by the next."""
    chain, left = [leaf], list(others)
    while chain[-1].issuer != chain[-1].subject:
        issuer = next((each for each in left if is_issued(each, chain[-1])), None)
        if issuer is None:
            break
        left.remove(issuer)
        chain.append(issuer)
    return chain
