import unittest

from imports import describe, plan_import, table_name


class ImportsTest(unittest.TestCase):
    def test_plain_name(self):
        self.assertEqual(table_name("export/orders_2024.csv"), "orders_2024")

    def test_other_signs(self):
        self.assertEqual(table_name("Price list (new).CSV"), "price_list_new_")

    def test_names_that_end_like_the_suffix(self):
        names = ["statistics.csv", "discs.csv", "customers.csv", "csv.csv"]
        self.assertEqual([table_name(name) for name in names],
                         ["statistics", "discs", "customers", "csv"])

    def test_other_files(self):
        with self.assertRaises(ValueError):
            table_name("readme.txt")

    def test_plan(self):
        plan = plan_import(["b/Items.csv", "a/carts.csv"])
        self.assertEqual(plan, {"carts": "a/carts.csv", "items": "b/Items.csv"})

    def test_two_files_of_one_table(self):
        with self.assertRaisesRegex(ValueError, "a/Tea.csv and b/tea.csv"):
            plan_import(["b/tea.csv", "a/Tea.csv"])

    def test_described(self):
        self.assertEqual(describe({"a": "a.csv", "long": "long.csv"}),
                         ["a    <- a.csv", "long <- long.csv"])
