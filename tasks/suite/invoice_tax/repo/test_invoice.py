import unittest
from decimal import Decimal

from invoice import Line, share, tax, total


class InvoiceTest(unittest.TestCase):
    def test_tax_of_half_a_cent_goes_up(self):
        self.assertEqual(tax(Decimal("2.50"), 5), Decimal("0.13"))
        self.assertEqual(tax(Decimal("3.50"), 5), Decimal("0.18"))

    def test_tax_below_half_a_cent_goes_down(self):
        self.assertEqual(tax(Decimal("2.48"), 5), Decimal("0.12"))

    def test_total(self):
        lines = [Line("screws", 10, Decimal("0.20")), Line("glue", 1, Decimal("0.50"))]
        self.assertEqual(total(lines, 5), Decimal("2.63"))

    def test_share(self):
        parts = share(Decimal("10.00"), 3)
        self.assertEqual(parts, [Decimal("3.33"), Decimal("3.33"), Decimal("3.34")])
