"""Certificates that documents are sealed with: made here, or brought along."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import core  # type: ignore[import-untyped]  # has no types
from asn1crypto import pkcs12 as asn1_pkcs12
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from adapters.signing_certificate import made, with_fresh_crl
from adapters.signing_certificate_import import (
    LARGEST,
    CertificateReason,
    CertificateRefused,
    imported,
)
from commands.signing_certificate import WHY
from tests.unit.sealing import NOW, YEARS, certificate

PASSWORD = "päss wort"


def test_is_for_signing_documents_and_signed_by_a_root_of_its_own() -> None:
    leaf, root = certificate().certificates
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert "1.3.6.1.5.5.7.3.36" in {each.dotted_string for each in purposes}
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_says_what_it_is() -> None:
    made_now = certificate()
    leaf = made_now.certificates[0]
    assert made_now.fingerprint == leaf.fingerprint(hashes.SHA256()).hex()
    assert made_now.not_after == leaf.not_valid_after_utc
    assert abs(made_now.not_after - NOW - timedelta(days=365.25 * YEARS)) < timedelta(days=1)
    assert x509.load_pem_x509_certificate(made_now.root) == made_now.certificates[-1]
    key = load_pem_private_key(made_now.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == leaf.public_key()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zoë & Łukasz", "Zoë & Łukasz"),
        ("上海贸易有限公司", "上海贸易有限公司"),
        ("上海贸易" * 20, ("上海贸易" * 6)[:21]),
        ("محمد عبد الله", "محمد عبد الله"),
        ("שלום בע״מ 1999", "שלום בע״מ"),
        ("Acme محمد", "Acme"),
        ("Ltd محمد عبد الله (Dubai) 7", "محمد عبد الله"),
        ("(محمد)", "محمد"),
        ("Acmeמ", "–"),
        ("aشركة", "–"),
        ("x" * 500, "x" * 64),
        ("", "–"),
        ("\u202e\x00", "–"),
        ("A\nB", "A B"),
    ],
)
def test_any_company_gets_one(name: str, shown: str) -> None:
    """Of a name that is written from both sides the larger part: no library compares the whole."""
    issued_to = made(name, at=NOW, years=1)
    assert issued_to.subject == shown
    for each in issued_to.certificates:
        assert asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)).subject.hashable
        for attribute in each.subject:
            assert 1 <= len(str(attribute.value).encode()) <= 64


def test_no_two_share_a_key_or_a_number() -> None:
    one, other = (made("Acme", at=NOW, years=1) for _ in range(2))
    assert one.key != other.key
    assert one.fingerprint != other.fingerprint
    assert one.certificates[0].serial_number != other.certificates[0].serial_number


def test_its_list_is_signed_by_the_root_and_outlives_the_certificate() -> None:
    begun = certificate()
    later = with_fresh_crl(begun, at=NOW + timedelta(days=90))
    for each, at in ((begun, NOW), (later, NOW + timedelta(days=90))):
        listed = x509.load_der_x509_crl(each.crls[0])
        assert listed.last_update_utc == at
        assert listed.next_update_utc is not None
        assert listed.next_update_utc > each.not_after
        assert listed.is_signature_valid(ec_key(each.certificates[-1]))
        assert len(listed) == 0
    assert (later.key, later.chain, later.root_key) == (begun.key, begun.chain, begun.root_key)


def ec_key(of: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = of.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def test_a_revoked_one_is_on_the_list() -> None:
    revoked = with_fresh_crl(certificate(), at=NOW, revoked_at=NOW)
    listed = x509.load_der_x509_crl(revoked.crls[0])
    assert listed.get_revoked_certificate_by_serial_number(revoked.certificates[0].serial_number)


def test_only_who_has_the_roots_key_signs_a_list() -> None:
    brought = imported(packed(), PASSWORD, at=NOW)
    with pytest.raises(ValueError, match="root"):
        with_fresh_crl(brought, at=NOW)


def issued(
    *,
    usage: tuple[str, ...] | None = ("digital_signature",),
    ca: bool = False,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    name: str = "Brought Ltd",
    begins: int = -1,
    ends: int = 365,
) -> tuple[ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, x509.Certificate, x509.Certificate]:
    """A certificate as another authority gives it, with its issuer."""
    root_key, key = (
        ec.generate_private_key(ec.SECP384R1()),
        key or ec.generate_private_key(ec.SECP384R1()),
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Some authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def begun(name: x509.Name, public: object) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .issuer_name(issuer)
            .subject_name(name)
            .public_key(public)  # type: ignore[arg-type]  # either kind of key
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=begins))
            .not_valid_after(NOW + timedelta(days=ends))
        )

    authority = x509.BasicConstraints(ca=True, path_length=None)
    root = (
        begun(issuer, root_key.public_key())
        .add_extension(authority, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = begun(subject, key.public_key())
    if ca:
        leaf = leaf.add_extension(authority, critical=True)
    if usage is not None:
        every = (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )  # fmt: skip
        leaf = leaf.add_extension(
            x509.KeyUsage(**{each: each in usage for each in every}), critical=True
        )
    return key, leaf.sign(root_key, hashes.SHA256()), root


def packed(password: str = PASSWORD, **options: object) -> bytes:
    key, leaf, root = issued(**options)  # type: ignore[arg-type]  # passed on
    return pkcs12.serialize_key_and_certificates(
        b"seal", key, leaf, [root], BestAvailableEncryption(password.encode())
    )


def refused(raw: bytes, password: str = PASSWORD) -> CertificateReason:
    with pytest.raises(CertificateRefused) as caught:
        imported(raw, password, at=NOW)
    return caught.value.reason


def test_one_that_was_brought_has_its_chain_and_no_list() -> None:
    raw = packed()
    brought = imported(raw, PASSWORD, at=NOW)
    leaf, root = brought.certificates
    leaf.verify_directly_issued_by(root)
    assert brought.subject == "Brought Ltd"
    assert (brought.crls, brought.root_key) == ((), b"")
    assert imported(raw, PASSWORD, at=NOW, crls=[b"list"]).crls == (b"list",)


def test_a_certificate_that_does_not_belong_to_the_chain_is_left_out() -> None:
    key, leaf, root = issued()
    _, stranger, _ = issued()
    with pytest.raises(InvalidSignature):
        leaf.verify_directly_issued_by(issued()[2])
    raw = pkcs12.serialize_key_and_certificates(
        None, key, leaf, [stranger, root], BestAvailableEncryption(PASSWORD.encode())
    )
    assert imported(raw, PASSWORD, at=NOW).certificates == (leaf, root)


def test_one_without_its_issuer_stands_alone() -> None:
    key, leaf, _ = issued()
    raw = pkcs12.serialize_key_and_certificates(
        None, key, leaf, None, BestAvailableEncryption(PASSWORD.encode())
    )
    assert imported(raw, PASSWORD, at=NOW).certificates == (leaf,)


def test_each_refusal_says_why() -> None:
    assert refused(b"") is CertificateReason.UNREADABLE
    assert refused(b"-----BEGIN CERTIFICATE-----") is CertificateReason.UNREADABLE
    assert refused(packed()[:-40]) is CertificateReason.UNREADABLE
    assert refused(packed() + bytes(LARGEST)) is CertificateReason.UNREADABLE
    assert refused(packed(), "other") is CertificateReason.WRONG_PASSWORD
    assert refused(packed(), "") is CertificateReason.WRONG_PASSWORD
    assert refused(packed(begins=-10, ends=-1)) is CertificateReason.EXPIRED
    assert refused(packed(begins=1)) is CertificateReason.NOT_YET_VALID
    assert refused(packed(usage=("key_encipherment",))) is CertificateReason.NOT_FOR_SIGNING
    assert refused(packed(name="Acme محمد")) is CertificateReason.NAME_UNUSABLE
    assert refused(packed(ca=True)) is CertificateReason.NOT_FOR_SIGNING
    assert refused(packed(ca=True, usage=None)) is CertificateReason.NOT_FOR_SIGNING


def with_iterations(many: int, part: str) -> bytes:
    """A file that wants its password derived that often, for its MAC or for what is locked."""
    pfx = asn1_pkcs12.Pfx.load(packed())
    if part == "mac":
        pfx["mac_data"]["iterations"] = many
        return bytes(pfx.dump(force=True))
    safe = asn1_pkcs12.AuthenticatedSafe.load(pfx["auth_safe"]["content"].native)
    for info in safe:
        if part == "certificates" and info["content_type"].native == "encrypted_data":
            locked = info["content"]["encrypted_content_info"]["content_encryption_algorithm"]
        elif part == "key" and info["content_type"].native == "data":
            bags = asn1_pkcs12.SafeContents.load(info["content"].native)
            locked = bags[0]["bag_value"]["encryption_algorithm"]
        else:
            continue
        locked["parameters"]["key_derivation_func"]["parameters"]["iteration_count"] = many
        if part == "key":
            info["content"] = core.OctetString(bags.dump(force=True))
    pfx["auth_safe"]["content"] = core.OctetString(safe.dump(force=True))
    return bytes(pfx.dump(force=True))


@pytest.mark.parametrize("part", ["mac", "certificates", "key"])
def test_a_password_that_takes_for_ever_to_check_is_not_checked(part: str) -> None:
    raw = with_iterations(2**31 - 1, part)
    begun = time.monotonic()
    assert refused(raw) is CertificateReason.TOO_SLOW
    assert time.monotonic() - begun < 1


def test_every_refusal_has_its_words() -> None:
    assert set(WHY) == set(CertificateReason)
    page = Path("api/pages/console/certificate.html").read_text()
    assert [each for each in WHY.values() if f'_("{each}")' not in page] == []


def test_what_signs_is_taken() -> None:
    large = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert imported(packed(key=large), PASSWORD, at=NOW).certificates
    assert imported(packed(usage=None), PASSWORD, at=NOW).certificates
    assert imported(packed(usage=("content_commitment",)), PASSWORD, at=NOW).certificates


def test_a_weak_key_a_large_one_or_none_is_refused() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert refused(packed(key=small)) is CertificateReason.WEAK_KEY
    large = rsa.generate_private_key(public_exponent=65537, key_size=4104)
    assert refused(packed(key=large)) is CertificateReason.LARGE_KEY
    assert (
        refused(packed(key=ec.generate_private_key(ec.SECP192R1()))) is CertificateReason.WEAK_KEY
    )
    _, leaf, root = issued()
    without = pkcs12.serialize_key_and_certificates(
        None, None, leaf, [root], BestAvailableEncryption(PASSWORD.encode())
    )
    assert refused(without) is CertificateReason.NO_KEY
    other = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    mine = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(other.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(other, None)
    )
    raw = pkcs12.serialize_key_and_certificates(
        None, other, mine, None, BestAvailableEncryption(PASSWORD.encode())
    )
    assert refused(raw) is CertificateReason.WEAK_KEY


def test_a_refusal_tells_nothing_of_the_file() -> None:
    with pytest.raises(CertificateRefused) as caught:
        imported(packed(), "wrong secret", at=NOW)
    assert str(caught.value) == "This certificate is refused: wrong_password."
