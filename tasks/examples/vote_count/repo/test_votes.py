from votes import count_votes, winner


def test_counts():
    assert count_votes(["ann", "bob", "ann"]) == {"ann": 2, "bob": 1}


def test_blank_ballots():
    assert count_votes(["", "ann"]) == {"ann": 1}


def test_winner():
    assert winner({"ann": 2, "bob": 3}) == "bob"


test_blank_ballots()
test_winner()
test_counts()
