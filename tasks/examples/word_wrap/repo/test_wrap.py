from wrap import wrap


def test_short_text():
    assert wrap("hello", 10) == ["hello"]


def test_two_lines():
    assert wrap("one two three", 7) == ["one two", "three"]


def test_empty():
    assert wrap("", 5) == []


test_short_text()
test_two_lines()
test_empty()
