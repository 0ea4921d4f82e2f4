import io
import json
import tempfile
import unittest
from pathlib import Path

from usage.cli import main
from usage.formats import human


class UsageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "sizes.txt"
        self.file.write_text("1024\t/var\n3072\t/home\n")

    def usage(self, *options):
        out = io.StringIO()
        try:
            status = main([*options, str(self.file)], out)
        except SystemExit as error:
            self.fail(f"ended with {error.code}")
        self.assertEqual(status, 0)
        return out.getvalue()

    def test_table(self):
        self.assertEqual(self.usage(), "/home     3.0K   75.0%\n/var      1.0K   25.0%\n")

    def test_table_without_small_ones(self):
        self.assertEqual(self.usage("--min-percent", "30"), "/home     3.0K   75.0%\n")

    def test_human(self):
        self.assertEqual([human(n) for n in [0, 1023, 1536, 5 << 40]],
                         ["0", "1023", "1.5K", "5.0T"])

    def test_json(self):
        self.assertEqual(json.loads(self.usage("--json")), [
            {"folder": "/home", "bytes": 3072, "percent": 75.0},
            {"folder": "/var", "bytes": 1024, "percent": 25.0}])

    def test_json_is_one_line(self):
        self.assertEqual(self.usage("--json").count("\n"), 1)

    def test_json_without_small_ones(self):
        rows = json.loads(self.usage("--json", "--min-percent", "30"))
        self.assertEqual([row["folder"] for row in rows], ["/home"])

    def test_json_rounds_percentages(self):
        self.file.write_text("1\t/a\n2\t/b\n")
        rows = json.loads(self.usage("--json"))
        self.assertEqual([row["percent"] for row in rows], [66.7, 33.3])
