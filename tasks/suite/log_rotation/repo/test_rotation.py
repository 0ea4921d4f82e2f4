import tempfile
import unittest
from pathlib import Path

from rotation import rotate, rotate_if_large, rotated


class RotationTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "app.log"

    def contents(self):
        return {number: path.read_text() for number, path in sorted(rotated(self.log).items())}

    def write_and_rotate(self, *texts, keep):
        for text in texts:
            self.log.write_text(text)
            rotate(self.log, keep)

    def test_first_rotation(self):
        self.write_and_rotate("one", keep=3)
        self.assertEqual(self.contents(), {1: "one"})
        self.assertEqual(self.log.read_text(), "")

    def test_older_ones_move_up(self):
        self.write_and_rotate("one", "two", "three", keep=3)
        self.assertEqual(self.contents(), {1: "three", 2: "two", 3: "one"})

    def test_oldest_goes(self):
        self.write_and_rotate("one", "two", "three", "four", keep=3)
        self.assertEqual(self.contents(), {1: "four", 2: "three", 3: "two"})

    def test_keeping_fewer_than_before(self):
        self.write_and_rotate("one", "two", "three", keep=3)
        self.write_and_rotate("four", keep=1)
        self.assertEqual(self.contents(), {1: "four"})

    def test_other_files_stay(self):
        other = self.log.with_name("app.log.old")
        other.write_text("mine")
        self.write_and_rotate("one", "two", keep=1)
        self.assertEqual(other.read_text(), "mine")

    def test_no_log(self):
        rotate(self.log)
        self.assertFalse(rotate_if_large(self.log, 10))

    def test_only_when_large(self):
        self.log.write_text("0123456789")
        self.assertFalse(rotate_if_large(self.log, 11))
        self.assertTrue(rotate_if_large(self.log, 10))
