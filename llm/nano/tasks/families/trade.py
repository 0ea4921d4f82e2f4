"""Shops, stores, bills and accounts."""
from __future__ import annotations


def shipping_cost(weight: nat, express: flag):
    if weight <= 0:
        return 0
    cost = 4
    if weight > 5:
        cost += (weight - 5) * 2
    if express:
        cost = cost * 2
    return cost


def stock_after(stock: stock, orders: repeats):
    left = dict(stock)
    for name in orders:
        if left.get(name, 0) > 0:
            left[name] -= 1
    return left


def reorder_list(stock: stock, level: nat):
    needed = []
    for name in sorted(stock):
        if stock[name] < level:
            needed.append(name)
    return needed


def loyalty_points(amount: big, member: flag):
    points = amount // 10
    if amount >= 100:
        points += 5
    if member:
        points *= 2
    return points


def bulk_price(quantity: nat, price: pos):
    if quantity >= 10:
        return quantity * price * 90 // 100
    if quantity >= 5:
        return quantity * price * 95 // 100
    return quantity * price


def tip(bill: big, percent: percent):
    amount = bill * percent // 100
    if amount < 1 and percent > 0:
        amount = 1
    return bill + amount


def split_bill(total: cents, guests: pos):
    share = total // guests
    rest = total % guests
    shares = [share] * guests
    for i in range(rest):
        shares[i] += 1
    return shares


def coins_needed(amount: big):
    count = 0
    for coin in (50, 20, 10, 5, 2, 1):
        count += amount // coin
        amount = amount % coin
    return count


def most_valuable(records: records):
    best = None
    for record in records:
        value = record["qty"] * record["price"]
        if best is None or value > best[1]:
            best = (record["name"], value)
    return best


def unpaid_total(invoices: pairs, paid: repeats):
    total = 0
    for name, amount in invoices:
        if name not in paid:
            total += amount
    return total


def apply_coupon(total: big, code: word):
    if code.startswith("a"):
        return total - total // 10
    if len(code) > 4 and total > 50:
        return total - 20
    return total


def balance_history(start: nat, changes: ints):
    history = [start]
    for change in changes:
        history.append(history[-1] + change)
    return history


def overdraft_days(start: nat, changes: ints):
    days = 0
    level = start
    for change in changes:
        level += change
        if level < 0:
            days += 1
    return days


def merge_orders(first: scores, second: scores):
    merged = dict(first)
    for name, count in second.items():
        merged[name] = merged.get(name, 0) + count
    return merged


def cheapest_within(pairs: pairs, budget: nat):
    chosen = None
    for name, price in pairs:
        if price <= budget and (chosen is None or price < chosen[1]):
            chosen = (name, price)
    return chosen


def tax_due(income: big):
    tax = 0
    if income > 100:
        tax += (min(income, 1000) - 100) * 10 // 100
    if income > 1000:
        tax += (income - 1000) * 25 // 100
    return tax


def interest_years(start: pos, goal: big):
    years = 0
    amount = start * 10
    while amount < goal and years < 50:
        amount += amount // 10 + 1
        years += 1
    return years


def delivery_zone(distance: nat):
    if distance <= 2:
        return "near"
    elif distance <= 8:
        return "city"
    return "far"


def free_gift(total: big, items: nat):
    return total >= 100 or (items > 5 and total > 50)


def rounding_to_five(price: cents):
    rest = price % 5
    if rest < 3:
        return price - rest
    return price + 5 - rest


def average_rating(marks: marks):
    if not marks:
        return 0
    return round(sum(marks) / len(marks), 1)


def best_seller(sales: scores):
    if not sales:
        return ""
    return max(sorted(sales), key=lambda name: sales[name])


def price_changes(prices: nats):
    changes = []
    for before, after in zip(prices, prices[1:]):
        if after > before:
            changes.append("up")
        elif after < before:
            changes.append("down")
        else:
            changes.append("same")
    return changes


def max_profit(prices: some):
    lowest = prices[0]
    profit = 0
    for price in prices[1:]:
        profit = max(profit, price - lowest)
        lowest = min(lowest, price)
    return profit
