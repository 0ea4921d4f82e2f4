import unittest

from shop.orders import Shop, State
from shop.stock import OutOfStock, Stock


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.stock = Stock({"lamp": 5, "bulb": 10})
        self.shop = Shop(self.stock)

    def test_placing_reserves(self):
        self.shop.place({"lamp": 3})
        self.assertEqual(self.stock.available("lamp"), 2)

    def test_all_or_nothing(self):
        with self.assertRaises(OutOfStock):
            self.shop.place({"bulb": 1, "lamp": 6})
        self.assertEqual(self.stock.available("bulb"), 10)

    def test_shipping(self):
        order = self.shop.place({"lamp": 3})
        self.shop.ship(order)
        self.assertEqual(self.stock.available("lamp"), 2)
        self.assertIs(order.state, State.SHIPPED)

    def test_cancelling_makes_available_again(self):
        order = self.shop.place({"lamp": 3, "bulb": 2})
        self.shop.cancel(order)
        self.assertEqual(self.stock.available("lamp"), 5)
        self.assertEqual(self.stock.available("bulb"), 10)

    def test_cancelling_twice(self):
        order = self.shop.place({"lamp": 3})
        self.shop.place({"lamp": 2})
        self.shop.cancel(order)
        self.shop.cancel(order)
        self.assertEqual(self.stock.available("lamp"), 3)

    def test_shipped_cannot_be_cancelled(self):
        order = self.shop.place({"lamp": 3})
        self.shop.ship(order)
        with self.assertRaises(ValueError):
            self.shop.cancel(order)
        self.assertEqual(self.stock.available("lamp"), 2)


class ReleaseTest(unittest.TestCase):
    def test_releases_part(self):
        stock = Stock({"lamp": 5})
        stock.reserve("lamp", 4)
        stock.release("lamp", 1)
        self.assertEqual(stock.available("lamp"), 2)

    def test_more_than_reserved(self):
        stock = Stock({"lamp": 5})
        stock.reserve("lamp", 1)
        with self.assertRaises(ValueError):
            stock.release("lamp", 2)
