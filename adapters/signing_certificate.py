"""The certificate that a workspace seals documents with: made here, offline, or brought along.

What is made here has a root of its own and a revocation list signed by that root, so that a seal
can carry all that its check needs (RFC 5280; ETSI EN 319 142-1, level B-LT). The root's key is
kept for the next list and signs nothing else.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapters.mail_rendering import one_line

LONGEST_NAME = 64
"""In bytes of UTF-8; X.520 says 64 characters, and libraries count bytes."""

ROOT = "Document signing root"
"""The common name of each root; the organization is the company."""

_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""RFC 9336."""
_FROM_THE_LEFT, _FROM_THE_RIGHT = frozenset(["L"]), frozenset(["R", "AL"])
_CLOCKS_DIFFER = timedelta(hours=1)
_YEAR = timedelta(days=365, hours=6)
_ROOT_LIVES_ON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A certificate with its key; `chain` is PEM, its leaf first, then what signed it.

    `key` and `root_key` are PKCS #8 in PEM, not encrypted: seal them before they are stored.
    `root_key` is empty where the root is not ours. `crls` are DER; without one a seal cannot prove
    later that the certificate was good. `fingerprint` is the leaf's SHA-256 in hex.
    """

    chain: bytes
    key: bytes
    crls: tuple[bytes, ...]
    not_after: datetime
    fingerprint: str
    root_key: bytes = b""

    @property
    def subject(self) -> str:
        """The company as the certificate names it."""
        return subject_of(self.certificates[0])

    @property
    def issuer(self) -> str:
        """Who vouches for that name; empty where the company does itself."""
        name = _known_name(self.certificates[0].issuer)
        return "" if name == self.subject else name

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The chain, read."""
        return tuple(x509.load_pem_x509_certificates(self.chain))

    @property
    def not_before(self) -> datetime:
        """From when on it may be used."""
        return self.certificates[0].not_valid_before_utc

    @property
    def is_whole(self) -> bool:
        """Whether the key is the leaf's."""
        key = load_pem_private_key(self.key, None)
        return key.public_key() == self.certificates[0].public_key()

    @property
    def root(self) -> bytes:
        """The last certificate of the chain in PEM: what somebody who checks a seal must trust."""
        return self.certificates[-1].public_bytes(Encoding.PEM)


def made(company: str, *, at: datetime, years: int) -> SigningCertificate:
    """A new certificate for a company of any name, good from `at` on for so many years."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ends_at = (at + years * _YEAR).astimezone(UTC).replace(microsecond=0)
    issuer = _name(company, ROOT)
    root = _root(issuer, root_key, at, ends_at + _ROOT_LIVES_ON)
    begun = _begun(issuer, _name(company, company), key.public_key(), at, ends_at)
    leaf = _as_leaf(begun, root_key).sign(root_key, hashes.SHA256())
    certificate = of_parts([leaf, root], pem_of(key), ())
    return with_fresh_crl(replace(certificate, root_key=pem_of(root_key)), at=at)


def of_parts(
    chain: Sequence[x509.Certificate], key: bytes, crls: Sequence[bytes]
) -> SigningCertificate:
    """The value of a chain, leaf first, with its key in PEM and revocation lists in DER."""
    return SigningCertificate(
        b"".join(each.public_bytes(Encoding.PEM) for each in chain),
        key,
        tuple(crls),
        chain[0].not_valid_after_utc,
        chain[0].fingerprint(hashes.SHA256()).hex(),
    )


def with_fresh_crl(
    certificate: SigningCertificate, *, at: datetime, revoked_at: datetime | None = None
) -> SigningCertificate:
    """The same with a revocation list of `at`; `revoked_at` puts the leaf on it.

    A list counts until the root ends, for a seal carries the one of its time for as long as it is
    looked at. Raises `ValueError` when the root is not ours.
    """
    if not certificate.root_key:
        raise ValueError("only the holder of the root's key can sign its revocation list")
    leaf, root = certificate.certificates[0], certificate.certificates[-1]
    listed = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(at.astimezone(UTC).replace(microsecond=0))
        .next_update(root.not_valid_after_utc)
        .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        .add_extension(_issued_by(root.public_key()), critical=False)
    )
    if revoked_at:
        listed = listed.add_revoked_certificate(_revoked(leaf, revoked_at))
    signed = listed.sign(_elliptic(certificate.root_key), hashes.SHA256())
    return replace(certificate, crls=(signed.public_bytes(Encoding.DER),))


def subject_of(certificate: x509.Certificate) -> str:
    """The name that people know the holder by."""
    return _known_name(certificate.subject)


def is_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether one certificate is signed by the holder of another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PKCS #8 in PEM, in the clear."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _known_name(name: x509.Name) -> str:
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for each in name.get_attributes_for_oid(oid):
            return str(each.value)
    return name.rfc4514_string()


def _name(company: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _fit(company)),
            x509.NameAttribute(NameOID.COMMON_NAME, _fit(common)),
        ]
    )


def _fit(name: str) -> str:
    """A name as a certificate can have it: of one direction, and not too long.

    What is written from the right may have nothing in it that is written from the left, and must
    begin and end with its own letters (RFC 4518 2.4, RFC 3454 6). Of a mixed name the words of the
    direction with more letters are taken.
    """
    words = one_line(unicodedata.normalize("NFC", name)).split()
    letters = Counter(map(unicodedata.bidirectional, "".join(words)))
    if not any(letters[each] for each in _FROM_THE_RIGHT):
        return _cut(words) or "–"
    if letters["L"] >= sum(letters[each] for each in _FROM_THE_RIGHT):
        return _cut([each for each in words if not _has(each, _FROM_THE_RIGHT)]) or "–"
    shown = _cut([each for each in words if not _has(each, _FROM_THE_LEFT)])
    own = [at for at, each in enumerate(shown) if _has(each, _FROM_THE_RIGHT)]
    return shown[own[0] : own[-1] + 1] if own else "–"


def _has(word: str, direction: frozenset[str]) -> bool:
    return any(unicodedata.bidirectional(each) in direction for each in word)


def _cut(words: Sequence[str]) -> str:
    return " ".join(words).encode()[:LONGEST_NAME].decode(errors="ignore").strip()


def _begun(
    issuer: x509.Name,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    at: datetime,
    ends_at: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before((at - _CLOCKS_DIFFER).astimezone(UTC).replace(microsecond=0))
        .not_valid_after(ends_at)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _root(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime, ends_at: datetime
) -> x509.Certificate:
    return (
        _begun(name, name, key.public_key(), at, ends_at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(key, hashes.SHA256())
    )


def _as_leaf(
    begun: x509.CertificateBuilder, root_key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    """For documents; mail's usage stands beside it for viewers that know no other (NSS)."""
    usages = x509.ExtendedKeyUsage([_DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
    return (
        begun.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "content_commitment"), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(_issued_by(root_key.public_key()), critical=False)
    )


def _usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{each: each in names for each in every})


def _issued_by(key: object) -> x509.AuthorityKeyIdentifier:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("the roots made here have elliptic curves")
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _elliptic(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the roots made here have elliptic curves")
    return key


def _revoked(leaf: x509.Certificate, at: datetime) -> x509.RevokedCertificate:
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(leaf.serial_number)
        .revocation_date(at.astimezone(UTC).replace(microsecond=0))
        .build()
    )
