import unittest

from bus.frames import FrameError, encode, encode_all
from bus.reader import Reader


class FramesTest(unittest.TestCase):
    def test_ascii(self):
        self.assertEqual(encode("hello"), b"5:hello,")
        self.assertEqual(encode(""), b"0:,")

    def test_length_in_bytes(self):
        self.assertEqual(encode("Zürich"), "7:Zürich,".encode())


class ReaderTest(unittest.TestCase):
    def test_several_in_one_chunk(self):
        self.assertEqual(Reader().feed(b"2:ab,1:c,0:,"), ["ab", "c", ""])

    def test_cut_anywhere(self):
        reader = Reader()
        self.assertEqual(reader.feed(b"1"), [])
        self.assertEqual(reader.feed(b"0:0123"), [])
        self.assertEqual(reader.feed(b"456789,1:x"), ["0123456789"])
        self.assertEqual(reader.feed(b","), ["x"])

    def test_frames_of_others(self):
        self.assertEqual(Reader().feed("7:Zürich,3:€,".encode()), ["Zürich", "€"])

    def test_cut_in_the_middle_of_a_character(self):
        reader = Reader()
        messages = []
        for byte in encode_all(["Größe", "5 €"]):
            messages += reader.feed(bytes([byte]))
        self.assertEqual(messages, ["Größe", "5 €"])

    def test_wrong_length(self):
        with self.assertRaises(FrameError):
            Reader().feed(b"2:abc,")

    def test_no_length(self):
        with self.assertRaises(FrameError):
            Reader().feed(b"x:abc,")
        with self.assertRaises(FrameError):
            Reader().feed(b"1234567890")
