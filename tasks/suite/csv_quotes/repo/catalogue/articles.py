"""Articles of the supplier's catalogue."""

from dataclasses import dataclass
from decimal import Decimal

from catalogue.rows import RowError, read_rows


@dataclass(frozen=True)
class Article:
    number: int
    name: str
    price: Decimal


def read_articles(text):
    articles = []
    for row in read_rows(text):
        if len(row) != 3:
            raise RowError(f"{row[0]}: {len(row)} fields instead of 3")
        articles.append(Article(int(row[0]), row[1], Decimal(row[2])))
    return articles
