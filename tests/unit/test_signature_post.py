"""What a signer's form says of each field, by the way in which it was entered."""

import pytest

from api.signature_post import UNREADABLE, values_in

DRAWN = '{"strokes": [[[0.1, 0.2]]], "ratio": 0.5}'
DRAWING = {"strokes": [[[0.1, 0.2]]], "ratio": 0.5}


@pytest.mark.parametrize(
    ("posted", "value"),
    [
        ((("field:a", " CEO "),), "CEO"),
        ((("ticked:a", "yes"),), True),
        ((("drawn:a", DRAWN),), DRAWING),
        ((("typed:a", " Vera "),), {"typed": "Vera"}),
        ((("typed:a", "Vera"), ("drawn:a", DRAWN)), {"typed": "Vera"}),
        ((("typed:a", " "), ("drawn:a", DRAWN)), DRAWING),
        ((("drawn:a", "{"),), UNREADABLE),
        ((("drawn:a", "[" * 100_000),), UNREADABLE),
        ((("drawn:a", "[]"),), UNREADABLE),
        ((("drawn:a", '{"strokes": [[[0.1]]]}'),), UNREADABLE),
        ((("drawn:a", DRAWN.replace("0.5", "[0.5]")),), UNREADABLE),
    ],
)
def test_a_field_is_what_its_name_says(posted: tuple[tuple[str, str], ...], value: object) -> None:
    assert values_in(posted) == {"a": value}


@pytest.mark.parametrize("name", ["field:a", "ticked:a", "drawn:a", "typed:a", "window", "a"])
def test_what_is_empty_or_no_field_is_left_out(name: str) -> None:
    assert values_in([(name, "" if ":" in name else "one")]) == {}
    assert values_in([("ticked:a", "no"), ("drawn:a", '{"strokes": []}')]) == {}


@pytest.mark.parametrize("depth", range(900, 1000, 5))
def test_what_is_nested_as_deep_as_can_be_read_is_not_shown_again(depth: int) -> None:
    # Read it can be just so; written into the page again, some calls further down, it could not.
    (value,) = values_in([("drawn:a", f'{{"strokes": {"[" * depth + "]" * depth}}}')]).values()
    assert value == UNREADABLE
