import unittest
from decimal import Decimal

from catalogue.articles import Article, read_articles
from catalogue.rows import RowError, read_rows


class RowsTest(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(read_rows("a,b\n\nc,,d\n"), [["a", "b"], ["c", "", "d"]])

    def test_comma_in_quotes(self):
        self.assertEqual(read_rows('1,"a, b"'), [["1", "a, b"]])

    def test_doubled_quotes(self):
        self.assertEqual(read_rows('"say ""yes""",2'), [['say "yes"', "2"]])
        self.assertEqual(read_rows('""""'), [['"']])

    def test_empty_quoted_field(self):
        self.assertEqual(read_rows('1,"",2'), [["1", "", "2"]])

    def test_open_quote(self):
        with self.assertRaisesRegex(RowError, "line 2: a quote is not closed"):
            read_rows('1,2\n3,"4\n')


class ArticlesTest(unittest.TestCase):
    def test_inches(self):
        self.assertEqual(read_articles('4711,"19"" rack, black",129.00\n'),
                         [Article(4711, '19" rack, black', Decimal("129.00"))])

    def test_missing_field(self):
        with self.assertRaisesRegex(RowError, "4711: 2 fields"):
            read_articles("4711,rack\n")
