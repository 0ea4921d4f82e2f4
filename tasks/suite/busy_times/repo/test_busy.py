import unittest

from busy import first_slot, free, merge


class BusyTest(unittest.TestCase):
    def test_overlapping(self):
        self.assertEqual(merge([(13, 15), (9, 11), (10, 12)]), [(9, 12), (13, 15)])

    def test_touching(self):
        self.assertEqual(merge([(9, 10), (10, 11)]), [(9, 11)])

    def test_one_inside_another(self):
        self.assertEqual(merge([(9, 17), (10, 11)]), [(9, 17)])

    def test_free(self):
        self.assertEqual(free([(8, 10), (12, 13)], 9, 18), [(10, 12), (13, 18)])

    def test_first_slot(self):
        self.assertEqual(first_slot([(9, 17), (10, 11)], 1), 17)
        self.assertIsNone(first_slot([(9, 17), (10, 11)], 2))
