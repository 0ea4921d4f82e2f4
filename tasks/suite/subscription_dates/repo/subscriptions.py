"""When subscriptions are renewed."""

import calendar
from datetime import date


def days_in_month(year, month):
    return calendar.monthrange(year, month)[1]


def add_months(day, months):
    """The same day of a later (or, with months < 0, earlier) month, or that month's last day."""
    year = day.year + (day.month + months) // 12
    month = (day.month + months) % 12
    return date(year, month, day.day)


def renewals(start, count, every=1):
    """The first `count` renewals of a subscription that is renewed every so many months."""
    return [add_months(start, every * number) for number in range(1, count + 1)]


def next_renewal(start, today, every=1):
    """The first renewal that is not before today."""
    months = (today.year - start.year) * 12 + today.month - start.month
    number = max(1, months // every)
    while add_months(start, every * number) < today:
        number += 1
    return add_months(start, every * number)
