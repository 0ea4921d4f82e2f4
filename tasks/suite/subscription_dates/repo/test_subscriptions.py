import unittest
from datetime import date

from subscriptions import add_months, next_renewal, renewals


class SubscriptionsTest(unittest.TestCase):
    def test_middle_of_the_month(self):
        self.assertEqual(add_months(date(2023, 3, 15), 2), date(2023, 5, 15))

    def test_into_the_next_year(self):
        self.assertEqual(add_months(date(2023, 11, 15), 1), date(2023, 12, 15))
        self.assertEqual(add_months(date(2023, 11, 15), 2), date(2024, 1, 15))
        self.assertEqual(add_months(date(2023, 11, 15), 14), date(2025, 1, 15))

    def test_backwards(self):
        self.assertEqual(add_months(date(2024, 1, 31), -1), date(2023, 12, 31))
        self.assertEqual(add_months(date(2024, 3, 31), -13), date(2023, 2, 28))

    def test_short_months(self):
        self.assertEqual(renewals(date(2024, 1, 31), 3),
                         [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)])

    def test_quarterly(self):
        self.assertEqual(renewals(date(2023, 2, 1), 2, every=3),
                         [date(2023, 5, 1), date(2023, 8, 1)])

    def test_next_renewal(self):
        self.assertEqual(next_renewal(date(2023, 1, 10), date(2023, 4, 10)), date(2023, 4, 10))
        self.assertEqual(next_renewal(date(2023, 1, 10), date(2023, 4, 11)), date(2023, 5, 10))
