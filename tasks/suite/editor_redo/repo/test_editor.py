import unittest

from editor import Editor


class UndoTest(unittest.TestCase):
    def test_editing(self):
        editor = Editor("hello")
        editor.append(" world")
        editor.replace(0, 5, "goodbye")
        self.assertEqual(editor.text, "goodbye world")

    def test_undo(self):
        editor = Editor("a")
        editor.append("b")
        editor.replace(0, 1, "xyz")
        self.assertTrue(editor.undo())
        self.assertEqual(editor.text, "ab")
        self.assertTrue(editor.undo())
        self.assertFalse(editor.undo())
        self.assertEqual(editor.text, "a")

    def test_limit(self):
        editor = Editor(limit=2)
        for letter in "abc":
            editor.append(letter)
        self.assertEqual([editor.undo() for _ in range(3)], [True, True, False])
        self.assertEqual(editor.text, "a")

    def test_outside(self):
        with self.assertRaises(IndexError):
            Editor("abc").insert(4, "d")


class RedoTest(unittest.TestCase):
    def setUp(self):
        self.editor = Editor()
        for letter in "abc":
            self.editor.append(letter)

    def test_redo(self):
        self.editor.undo()
        self.editor.undo()
        self.assertTrue(self.editor.redo())
        self.assertEqual(self.editor.text, "ab")
        self.assertTrue(self.editor.redo())
        self.assertFalse(self.editor.redo())
        self.assertEqual(self.editor.text, "abc")

    def test_nothing_to_redo(self):
        self.assertFalse(self.editor.redo())

    def test_undo_after_redo(self):
        self.editor.undo()
        self.editor.redo()
        self.editor.undo()
        self.assertEqual(self.editor.text, "ab")

    def test_new_change_forgets(self):
        self.editor.undo()
        self.editor.append("x")
        self.assertFalse(self.editor.redo())
        self.assertEqual(self.editor.text, "abx")
