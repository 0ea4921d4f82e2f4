"""Amounts of an invoice, in exact decimals."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    text: str
    quantity: int
    price: Decimal  # of one piece, net

    def net(self):
        return self.quantity * self.price


def to_cents(amount):
    """Rounds to whole cents; half a cent goes up."""
    return amount.quantize(CENT)


def tax(net, percent):
    return to_cents(net * percent / 100)


def share(net, parts):
    """Splits an amount into equal parts; the last one takes what rounding leaves."""
    part = (net / parts).quantize(CENT, rounding=ROUND_HALF_UP)
    return [part] * (parts - 1) + [net - part * (parts - 1)]


def total(lines, percent):
    """What is to be paid: net amounts, and tax on their sum."""
    net = sum((line.net() for line in lines), Decimal(0))
    return to_cents(net) + tax(net, percent)
