"""Nobody is led anywhere after signing in but to a page of the same workspace."""

import pytest

from api.console_next import safe_next, sign_in_address

BASE = "/console/acme"


@pytest.mark.parametrize(
    "wanted",
    [
        BASE,
        f"{BASE}/account",
        f"{BASE}/account/sessions?done=one&at=2026-03-02T09%3A00",
        f"{BASE}/account/sessions/01890000-0000-7000-8000-000000000000/end",
        f"{BASE}?page=2",
    ],
)
def test_a_page_of_the_workspace_is_led_to(wanted: str) -> None:
    assert safe_next(BASE, wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "/",
        "//evil.example",
        "https://evil.example/console/acme",
        "/console/other/account",
        "/console/acmex",
        f"{BASE}.evil.example",
        f"{BASE}@evil.example",
        f"{BASE}//evil.example",
        f"{BASE}/../other",
        f"{BASE}/..%2fother",
        f"{BASE}/a/.ssh",
        f"{BASE}/\\evil.example",
        f"{BASE}/account\nSet-Cookie: x=y",
        f"{BASE}/account#x",
        f"{BASE}/account?x=<script>",
        f"{BASE}/sign-out",
        f"{BASE}/sign-in?next=x",
        f"{BASE}/events",
        f"{BASE}/stay",
        f"{BASE}/links/token",
        f"{BASE}/{'x' * 500}",
        "javascript:alert(1)",
    ],
)
def test_anything_else_is_the_first_page(wanted: str) -> None:
    # ASVS 3.7.2: no open redirect
    assert safe_next(BASE, wanted) == BASE


def test_the_way_back_is_in_the_address_of_the_sign_in() -> None:
    assert sign_in_address(BASE) == f"{BASE}/sign-in"
    assert (
        sign_in_address(BASE, f"{BASE}/account")
        == f"{BASE}/sign-in?next=%2Fconsole%2Facme%2Faccount"
    )
    assert sign_in_address(BASE, "//evil.example", "room") == f"{BASE}/sign-in/room"
