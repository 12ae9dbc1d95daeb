"""The exit URL of a workspace leads to a safe place or nowhere (EX-11, EX-18)."""

import pytest

from domain.exit_url import ExitUrlFault, exit_url_fault


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
        "http://localhost.example/ü",
        "http://127.0.0.10/ü",
        "javascript:alert(1)",
        "//demo.example",
        "data:text/html,x",
    ],
)
def test_what_leads_into_the_open(value: str) -> None:
    assert exit_url_fault(value) is ExitUrlFault.NOT_SAFE


@pytest.mark.parametrize(
    "value",
    [
        "https://",
        "https://demo.example/bye?x=1&y=ü",
        "http://localhost/ü",
        "http://[::1]:1/ü",
        "https://user@demo.example/",
        "https://demo.example/a b",
        "https://[demo.example/",
        "https://dëmo.example/",
        "https://demo.example/\n",
        "https://demo.example\\@evil.example/",
    ],
)
def test_what_another_reader_splits_differently(value: str) -> None:
    """It begins as it should: the reason is another one."""
    assert exit_url_fault(value) is ExitUrlFault.UNUSUAL


@pytest.mark.parametrize("value", [5, None, "https://demo.example/" + "a" * 200])
def test_what_is_no_short_text(value: object) -> None:
    assert exit_url_fault(value) is ExitUrlFault.TOO_LONG
