"""What a new version changed, as its signers are shown it: all that they sign (EX-19, N7)."""

import re
from dataclasses import replace
from typing import Any

import pytest

from api.signature_changes import percent
from tests.api.test_signing import HIDDEN, Signer, Window, sign, signer_of
from tests.rooms.agreements import PAPER, Desk, place
from tests.rooms.house import House
from tests.rooms.party_browser import PartyBrowser, words

CONFIRM = re.compile(r'name="confirm" value="([^"]+)"')
SIDE = re.compile(r"<dd>(.*?)</dd>", re.DOTALL)
FIELDS = [
    place("price", "text", None, value="100 EUR"),
    place("title-1", "text", 1),
    place("signature-1", "signature", 1),
    place("guarantee", "text", 2, required=False),
    place("signature-2", "signature", 2),
]


async def changed(signer: Signer, **members: dict[str, Any] | None) -> None:
    """Another version, with these members of its fields; None for one that is gone."""
    now = {each["key"]: each for each in FIELDS}
    fields = [
        one | (members.get(key.replace("-", "_")) or {})
        for key, one in now.items()
        if members.get(key.replace("-", "_"), {}) is not None
    ]
    whole = await signer.desk.now(signer.whole.row.id)
    await signer.desk.change(whole, {"fields": fields})


@pytest.mark.parametrize(
    ("members", "before", "now"),
    [
        (
            {"title_1": {"kind": "date", "required": False}},
            "Text “Title-1”, required",
            "Date “Title-1”, optional",
        ),
        (
            {"price": {"label": "Price a year", "value": "100 EUR a year"}},
            "Text “Price”, required Filled in by Demo Ltd Says “100 EUR”",
            "Text “Price a year”, required Filled in by Demo Ltd Says “100 EUR a year”",
        ),
        ({"title_1": {"signer": 2}}, "Filled in by you", "Filled in by Otto KG"),
        (
            {"guarantee": {"label": "I guarantee all debts"}},
            "Text “Guarantee”, optional Filled in by Otto KG",
            "Text “I guarantee all debts”, optional Filled in by Otto KG",
        ),
        ({"guarantee": None}, "Text “Guarantee”, optional", "Nothing"),
        (
            {"signature_2": {"x": 0.123456, "width": 0.4}},
            "Page 1, 10 % from the left, 10 % from the top, 30 % wide, 5 % high",
            "Page 1, 12.3456 % from the left, 10 % from the top, 40 % wide, 5 % high",
        ),
    ],
)
async def test_everything_that_is_signed_is_shown_and_confirmed(
    house: House, browser: PartyBrowser, members: dict[str, Any], before: str, now: str
) -> None:
    signer = await signer_of(Desk(house), browser, "Vera Ltd", "Otto KG", fields=FIELDS)
    window = await signer.opened()
    await window.post("values", **{"field:title-1": "2026-05-31"})
    await changed(signer, **members)
    refused = await sign(window)
    assert refused.status_code == 409
    assert "The document was changed" in words(refused)
    left, right = (words_of(each) for each in SIDE.findall(refused.text))
    assert (before in left, now in right) == (True, True), (left, right)
    assert left != right
    window.place |= dict(HIDDEN.findall(refused.text))
    unseen = await sign(window)
    assert unseen.status_code == 409, "nothing is signed that was not confirmed"
    confirmed = [("confirm", each) for each in CONFIRM.findall(refused.text)]
    assert (await window.client_post("changes", confirmed)).status_code == 303
    assert "data-signing-form" in (await window.reload()).page.text  # type: ignore[union-attr]


def words_of(html: str) -> str:
    """What a part of a page says."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_a_version_that_differs_in_nothing_says_so(
    house: House, browser: PartyBrowser
) -> None:
    signer = await signer_of(Desk(house), browser, "Vera Ltd", "Otto KG", fields=FIELDS)
    window = await signer.opened()
    await signer.desk.change(signer.whole, {"message": "Please be quick"})
    refused = await sign(window)
    assert refused.status_code == 409
    assert "all that you sign is as you saw it" in words(refused)
    window.place |= dict(HIDDEN.findall(refused.text))
    assert (await sign(window)).status_code == 303


async def test_another_file_that_looks_the_same_is_shown_as_both(
    house: House, browser: PartyBrowser
) -> None:
    signer = await signer_of(Desk(house), browser, fields=FIELDS[:3])
    window: Window = await signer.opened()
    await signer.desk.change(signer.whole, {}, replace(PAPER, pdf=PAPER.pdf + b"\n"))
    refused = await sign(window)
    assert "Another file, whose pages look the same" in words(refused)
    assert [words_of(each) for each in SIDE.findall(refused.text)] == [
        "Version 1 (PDF)",
        "Version 2 (PDF)",
    ]


@pytest.mark.parametrize(
    ("fraction", "said"),
    [(0, "0"), (1, "100"), (0.1, "10"), (0.123456, "12.3456"), (0.1000001, "10"), (1e-6, "0.0001")],
)
def test_a_percentage_has_all_digits_that_are_hashed(fraction: float, said: str) -> None:
    assert percent(fraction) == said
