"""Orders, from being placed to being shipped or cancelled."""

import enum
from dataclasses import dataclass

from shop.stock import OutOfStock


class State(enum.Enum):
    PLACED = "placed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@dataclass
class Order:
    number: int
    articles: dict  # {article: quantity}
    state: State = State.PLACED


class Shop:
    def __init__(self, stock):
        self._stock = stock
        self._orders = []

    def place(self, articles):
        """Reserves everything, or nothing when an article is out of stock."""
        for article, quantity in articles.items():
            if quantity > self._stock.available(article):
                raise OutOfStock(article)
        for article, quantity in articles.items():
            self._stock.reserve(article, quantity)
        order = Order(len(self._orders) + 1, dict(articles))
        self._orders.append(order)
        return order

    def ship(self, order):
        self._require(order, State.PLACED)
        for article, quantity in order.articles.items():
            self._stock.ship(article, quantity)
        order.state = State.SHIPPED

    def cancel(self, order):
        """Cancels an order that has not been shipped; a second time changes nothing."""
        if order.state is State.CANCELLED:
            return
        self._require(order, State.PLACED)
        order.state = State.CANCELLED

    def _require(self, order, state):
        if order.state is not state:
            raise ValueError(f"order {order.number} is {order.state.value}")
