import unittest

from parking import fee


class FeeTest(unittest.TestCase):
    def test_no_stay_is_free(self):
        self.assertEqual(fee(0), 0)

    def test_short_stay(self):
        self.assertEqual(fee(1), 3)
        self.assertEqual(fee(3), 7)

    def test_long_stay_costs_the_maximum(self):
        self.assertEqual(fee(14), 20)


if __name__ == "__main__":
    unittest.main()
