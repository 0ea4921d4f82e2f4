from prices import band, with_tax


def test_bands():
    assert band(9) == "low"
    assert band(10) == "middle"
    assert band(101) == "high"


def test_upper_end_of_middle():
    assert band(100) == "middle"


def test_tax():
    assert with_tax(10, 0.2) == 12.0


test_bands()
test_tax()
test_upper_end_of_middle()
print("all good")
