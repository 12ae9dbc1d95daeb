"""The exit URL of a workspace leads to a safe place or nowhere (EX-11, EX-18)."""

import pytest

from domain.exit_url import exit_url_fault


@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://demo.example/bye?x=1",
        "http://localhost:8000/",
        "http://127.0.0.1/x",
        "http://[::1]:1/",
    ],
)
def test_what_can_be_used(value: str) -> None:
    assert exit_url_fault(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "http://demo.example/",
        "javascript:alert(1)",
        "//demo.example",
        "https://",
        "https://user@demo.example/",
        "https://demo.example/a b",
        "https://[demo.example/",
        "https://dëmo.example/",
        "https://demo.example/\n",
        "https://demo.example\\@evil.example/",
        "data:text/html,x",
    ],
)
def test_what_leads_into_the_open(value: str) -> None:
    assert exit_url_fault(value) == "must be an https:// URL, or http:// on this machine"


@pytest.mark.parametrize("value", [5, None, "https://demo.example/" + "a" * 200])
def test_what_is_no_short_text(value: object) -> None:
    assert exit_url_fault(value) == "must be a URL of at most 200 characters"
