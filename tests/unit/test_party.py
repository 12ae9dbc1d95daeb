import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.party import PartyFields, faults_of, is_address, masked


def test_a_believable_party_has_no_faults() -> None:
    fields = PartyFields("vendor", "Anna Ltd", "anna@example.com", attributes={"vat_id": "DE1"})
    assert faults_of(fields) == ()


def test_a_party_without_address_may_be_saved() -> None:
    # PS-37: that it has none shows on its sessions
    assert faults_of(PartyFields("vendor", "Anna Ltd")) == ()


def test_every_fault_is_named_at_once() -> None:
    attributes = {f"a{each}": 1 for each in range(99)} | {"Bad Key": 1, "long": "x" * 4001}
    fields = PartyFields("Vendor!", "  ", "not an address", "", attributes=attributes)
    assert [each.pointer for each in faults_of(fields)] == [
        "/kind",
        "/name",
        "/email",
        "/locale",
        "/attributes",
        "/attributes/Bad Key",
        "/attributes/long",
    ]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"name": "x" * 200}, 0),
        ({"name": "x" * 201}, 1),
        ({"attributes": {"a": "x" * 4000}}, 0),
        ({"attributes": {f"a{each}": 1 for each in range(100)}}, 0),
        ({"kind": "v" * 63}, 0),
        ({"kind": "v" * 64}, 1),
        ({"kind": ""}, 1),
    ],
)
def test_limits_are_inclusive(changes: dict[str, object], faults: int) -> None:
    fields = {"kind": "vendor", "name": "Anna"} | changes
    assert len(faults_of(PartyFields(**fields))) == faults  # type: ignore[arg-type]  # each case is one field


@pytest.mark.parametrize(
    "email",
    [
        "anna@example.com",
        "o'hara+tag@sub.example.co",
        "ünal@exämple.com",
        "a@b",
    ],
)
def test_addresses(email: str) -> None:
    assert is_address(email)


@pytest.mark.parametrize(
    "email",
    [
        "anna",
        "@example.com",
        "anna@",
        "a@b@c",
        "anna@example.com, eve@example.com",
        "anna@example.com\nBcc: eve@example.com",
        "Anna <anna@example.com>",
        "an\u200bna@example.com",
        "x" * 65 + "@example.com",
    ],
)
def test_what_could_name_another_recipient_is_no_address(email: str) -> None:
    assert not is_address(email)


@given(st.emails())
def test_a_masked_address_shows_one_letter_and_the_host(email: str) -> None:
    name, _, host = email.partition("@")
    assert masked(email) == f"{name[0]}•••@{host}"


def test_no_address_is_masked_as_nothing_known() -> None:
    assert masked("") == "•••"
