import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.definition import KEY, Reader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def faults(read: Reader) -> list[tuple[str, str]]:
    return [(each.pointer, each.message) for each in read.faults]


@pytest.mark.parametrize("key", ["a", "vendor-intake", "a1-b2", "a" * 63])
def test_keys(key: str) -> None:
    read = Reader()
    assert read.key({"key": key}, "key", "") == key
    assert not read.faults


@pytest.mark.parametrize("key", ["", "A", "1a", "-a", "a_b", "a" * 64, None, 7, "a\n"])
def test_what_is_no_key(key: object) -> None:
    read = Reader()
    assert read.key({"key": key}, "key", "/x") == ""
    assert faults(read)[0][0] == "/x/key"


def test_texts_have_limits() -> None:
    read = Reader()
    assert read.text({"a": "x" * 5}, "a", "", longest=5) == "x" * 5
    assert read.text({}, "a", "", optional=True) == ""
    assert not read.faults
    for value in ("x" * 6, "", " ", None, 3):
        read.text({"a": value}, "a", "", longest=5)
    assert faults(read) == [("/a", "must be a text of 1 to 5 characters")] * 5


def test_lists_of_texts() -> None:
    read = Reader()
    assert read.texts({"a": ["x", "y"]}, "a", "", least=2) == ["x", "y"]
    assert read.texts({}, "a", "", optional=True) == []
    assert not read.faults
    read.texts({"a": ["x"]}, "a", "", least=2)
    read.texts({"a": "x"}, "a", "")
    read.texts({"a": ["x", 1]}, "a", "")
    read.texts({}, "a", "")
    assert [message for _, message in faults(read)] == [
        "must name at least 2",
        *["must be a list of texts"] * 3,
    ]


def test_lists_of_objects() -> None:
    read = Reader()
    assert read.objects({"a": [{}]}, "a", "", least=1) == [{}]
    assert read.objects({}, "a", "") == []
    assert not read.faults
    read.objects({"a": [{}, {}]}, "a", "", most=1)
    read.objects({}, "a", "", least=1)
    assert read.objects({"a": [1]}, "a", "") == []
    assert read.objects({"a": {}}, "a", "") == []
    assert [message for _, message in faults(read)] == [
        "must have 0 to 1 entries, has 2",
        "must have 1 to 200 entries, has 0",
        *["must be a list of objects"] * 2,
    ]


@pytest.mark.parametrize(("value", "good"), [(1, True), (9, True), (0, False), (10, False)])
def test_numbers_have_limits(value: int, good: bool) -> None:
    read = Reader()
    assert read.number({"a": value}, "a", "", low=1, high=9) == (value if good else None)
    assert bool(read.faults) is not good


@pytest.mark.parametrize("value", [True, "3", 3.0, None])
def test_what_is_no_whole_number(value: object) -> None:
    read = Reader()
    assert read.number({"a": value}, "a", "", low=0, high=9) is None


def test_switches_choices_and_names() -> None:
    read = Reader()
    read.switch({"a": True}, "a", "")
    read.switch({}, "a", "")
    assert read.one_of({"a": "x"}, "a", ["x", "y"], "") == "x"
    assert read.known("x", {"x"}, "/a", "form")
    read.unique(["a", "b", "", ""], "")
    read.only({"a": 1}, {"a"}, "")
    assert not read.faults
    read.switch({"a": 1}, "a", "")
    read.one_of({"a": "z"}, "a", ["x", "y"], "")
    read.one_of({"a": []}, "a", [], "")
    read.known("z", {"x"}, "/a", "form")
    read.unique(["a", "b", "a"], "/list")
    read.only({"b": 1, "a": 1}, set(), "/at")
    assert faults(read) == [
        ("/a", "must be true or false"),
        ("/a", "must be one of x, y, got 'z'"),
        ("/a", "must be one of nothing, got []"),
        ("/a", "there is no form 'z'"),
        ("/list/2", "'a' comes twice"),
        ("/at/a", "is not known here"),
        ("/at/b", "is not known here"),
    ]


@given(JSON)
def test_no_json_value_makes_reading_fail(value: object) -> None:
    read, raw = Reader(), {"a": value}
    key = read.key(raw, "a", "")
    assert not key or KEY.fullmatch(key)
    read.text(raw, "a", "")
    read.texts(raw, "a", "")
    read.objects(raw, "a", "")
    read.number(raw, "a", "", low=0, high=9)
    read.switch(raw, "a", "")
    read.one_of(raw, "a", ["x"], "")
    assert all(each.pointer == "/a" and each.message for each in read.faults)
