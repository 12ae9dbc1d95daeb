"""Which addresses are one person's."""

import pytest

from domain.address import without_capitals


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Anna@Example.COM", "anna@example.com", True),
        ("J\u00dcRGEN@example.com", "j\u00fcrgen@example.com", True),
        ("anna@stra\u00dfe.example", "anna@strasse.example", False),
        ("anna@STRA\u1e9eE.example", "anna@stra\u00dfe.example", True),
        ("\u017fam@example.com", "sam@example.com", False),
        ("\u212aarl@example.com", "karl@example.com", False),
        ("o\ufb03ce@example.com", "office@example.com", False),
        ("\u0130da@example.com", "ida@example.com", False),
        ("nic\u0259@example.com", "nice@example.com", False),
    ],
)
def test_only_capitals_make_no_difference(one: str, other: str, same: bool) -> None:
    assert (without_capitals(one) == without_capitals(other)) is same
