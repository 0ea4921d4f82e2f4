import unittest

from elapsed import elapsed, summary


class ElapsedTest(unittest.TestCase):
    def test_below_a_minute(self):
        self.assertEqual(elapsed(0), "0s")
        self.assertEqual(elapsed(42.9), "42s")

    def test_two_units(self):
        self.assertEqual(elapsed(61), "1m 1s")
        self.assertEqual(elapsed(3661), "1h 1m")
        self.assertEqual(elapsed(90000), "1d 1h")

    def test_whole_units(self):
        self.assertEqual(elapsed(60), "1m")
        self.assertEqual(elapsed(3600), "1h")
        self.assertEqual(elapsed(86400), "1d")
        self.assertEqual(elapsed(7200), "2h")

    def test_negative(self):
        with self.assertRaises(ValueError):
            elapsed(-1)

    def test_summary(self):
        self.assertEqual(summary([]), "no builds")
        self.assertEqual(summary([60, 120]), "2 builds, 1m 30s each, 2m at most")
