#!/usr/bin/env python3
"""The check of the suite finds what can be wrong with a task: whole ones are broken and checked."""

import pathlib
import shutil
import sys
import tempfile
import unittest

import check_suite
import patch_size

SUITE = pathlib.Path(sys.argv.pop()).resolve()


class BrokenTask(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)

    def copied(self, name):
        return shutil.copytree(SUITE / name, self.root / name)

    def change(self, path, old, new):
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def wrong(self, folder):
        try:
            return check_suite.check_task(check_suite.read_task(folder))[0]
        except check_suite.Wrong as error:
            return str(error)

    def test_whole(self):
        for name in ["export_names", "csv_quotes", "editor_redo"]:
            self.assertEqual(self.wrong(self.copied(name)), "")

    def test_repaired_already(self):
        folder = self.copied("export_names")
        self.change(folder / "repo/imports.py", "rstrip(SUFFIX)", "removesuffix(SUFFIX)")
        self.assertIn("the tests pass without the patch", self.wrong(folder))

    def test_patch_that_repairs_nothing(self):
        folder = self.copied("export_names")
        self.change(folder / "gold.patch", "+    name = name.removesuffix", "+    name = name.strip")
        self.assertIn("the tests fail with the patch", self.wrong(folder))

    def test_patch_of_something_else(self):
        folder = self.copied("export_names")
        self.change(folder / "gold.patch", "-    name = name.rstrip", "-    name = name.lstrip")
        self.assertIn("does not apply", self.wrong(folder))

    def test_patch_of_a_test(self):
        folder = self.copied("export_names")
        self.change(folder / "gold.patch", "imports.py", "test_imports.py")
        self.assertIn("touches the test", self.wrong(folder))

    def test_patch_that_breaks_another_test(self):
        folder = self.copied("export_names")
        self.change(folder / "gold.patch", "removesuffix(SUFFIX)", "removesuffix(SUFFIX)[:9]")
        self.assertIn("the tests fail with the patch", self.wrong(folder))

    def test_larger_than_its_grade(self):
        folder = self.copied("csv_quotes")
        self.change(folder / "about.toml", "one-function", "one-line")
        self.assertIn("the patch removes", self.wrong(folder))
        folder = self.copied("editor_redo")
        self.change(folder / "about.toml", "several-files", "one-function")
        self.assertIn("not one source file", self.wrong(folder))

    def test_smaller_than_its_grade(self):
        folder = self.copied("export_names")
        self.change(folder / "about.toml", "one-line", "several-files")
        self.assertIn("not several", self.wrong(folder))

    def test_no_issue(self):
        folder = self.copied("export_names")
        (folder / "issue.md").write_text("# Repair it\n")
        self.assertIn("front matter", self.wrong(folder))

    def test_more_than_belongs_there(self):
        folder = self.copied("export_names")
        (folder / "notes.txt").write_text("x\n")
        self.assertIn("notes.txt", self.wrong(folder))

    def test_same_file_in_two_tasks(self):
        tasks = [check_suite.read_task(self.copied(name)) for name in ["csv_quotes", "editor_redo"]]
        self.assertEqual(list(check_suite.shared_files(tasks)), [])
        shutil.copy(tasks[0].repo / "catalogue/rows.py", tasks[1].repo / "rows.py")
        self.assertEqual(len(list(check_suite.shared_files(tasks))), 1)


class OneFunction(unittest.TestCase):
    TEXT = "int f(int a) {\n  if (a) {\n    b();\n  }\n}\n\nint g() {\n  c();\n}\n"

    def holder(self, *lines):
        change = patch_size.Change(removed=list(lines), added=list(lines))
        return patch_size.function_of(change, self.TEXT, self.TEXT, "cpp")

    def test_inside(self):
        self.assertEqual(self.holder(2, 4), "int f")
        self.assertEqual(self.holder(8), "int g")

    def test_in_two(self):
        self.assertIsNone(self.holder(3, 8))

    def test_between(self):
        self.assertIsNone(self.holder(6))


if __name__ == "__main__":
    unittest.main()
