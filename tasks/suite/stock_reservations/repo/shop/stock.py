"""How many pieces of each article there are, and how many are promised to somebody."""

from collections import Counter


class OutOfStock(Exception):
    pass


class Stock:
    def __init__(self, pieces):
        self._present = Counter(pieces)
        self._reserved = Counter()

    def available(self, article):
        return self._present[article] - self._reserved[article]

    def reserve(self, article, quantity):
        """Promises pieces to an order, which keeps them from other orders."""
        if quantity > self.available(article):
            raise OutOfStock(f"{article}: {quantity} wanted, {self.available(article)} available")
        self._reserved[article] += quantity

    def ship(self, article, quantity):
        """Reserved pieces leave the house."""
        self._present[article] -= quantity
        self._reserved[article] -= quantity
