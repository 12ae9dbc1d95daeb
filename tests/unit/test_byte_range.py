import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.byte_range import range_asked
from domain.errors import RangeRefused


@pytest.mark.parametrize(
    ("header", "bounds"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=10-", (10, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes = 5-6 ", (5, 7)),
    ],
)
def test_one_range(header: str, bounds: tuple[int, int]) -> None:
    found = range_asked(header, 100)
    assert found is not None
    assert (found.start, found.end) == bounds
    assert found.content_range == f"bytes {bounds[0]}-{bounds[1] - 1}/100"
    assert found.length == bounds[1] - bounds[0]


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=6-5", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b"]
)
def test_what_reads_as_the_whole_file(header: str) -> None:
    assert range_asked(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_no_byte_of_the_file(header: str) -> None:
    with pytest.raises(RangeRefused) as refused:
        range_asked(header, 100)
    assert refused.value.size == 100


@given(st.text(max_size=40), st.integers(1, 10**12))
def test_whatever_is_asked_is_within_the_file(tail: str, size: int) -> None:
    try:
        found = range_asked(f"bytes={tail}", size)
    except RangeRefused:
        return
    assert found is None or 0 <= found.start < found.end <= size
