"""Prices, fees, taxes and shares, in whole cents mostly."""
from __future__ import annotations


def discount(price: cents, percent: percent):
    if percent <= 0:
        return price
    if percent >= 100:
        return 0
    return price - price * percent // 100


def shipping(weight: nat, express: flag):
    if weight <= 0:
        return 0
    cost = 5
    if weight > 5:
        cost += (weight - 5) * 2
    if express:
        cost *= 2
    return cost


def with_tax(net: cents, rate: percent):
    return net + (net * rate + 50) // 100


def split_bill(total: cents, people: pos):
    share = total // people
    rest = total % people
    shares = [share] * people
    for i in range(rest):
        shares[i] += 1
    return shares


def change_coins(amount: cents):
    coins = {}
    for coin in (100, 50, 20, 10, 5, 1):
        if amount >= coin:
            coins[coin] = amount // coin
            amount = amount % coin
    return coins


def count_coins(amount: big):
    count = 0
    for coin in (50, 20, 10, 5, 2, 1):
        count += amount // coin
        amount %= coin
    return count


def format_cents(cents: cents):
    return f'{cents // 100}.{cents % 100:02d}'


def parse_price(text: numtext):
    if not text.isdigit():
        return -1
    return int(text) * 100


def tip(total: cents, percent: percent, minimum: nat):
    amount = total * percent // 100
    if amount < minimum:
        amount = minimum
    return amount


def bulk_price(unit: pos, quantity: nat):
    if quantity >= 10:
        return unit * quantity * 80 // 100
    if quantity >= 5:
        return unit * quantity * 90 // 100
    return unit * quantity


def late_fee(days: nat, rate: small):
    if days <= 3:
        return 0
    return min((days - 3) * rate, 20)


def tax_bracket(income: big):
    tax = 0
    if income > 1000:
        tax += (income - 1000) * 40 // 100
        income = 1000
    if income > 200:
        tax += (income - 200) * 20 // 100
    return tax


def interest(balance: cents, rate: small, years: size):
    for _ in range(years):
        balance += balance * rate // 100
    return balance


def profit(buys: nats, sells: nats):
    return sum(sells) - sum(buys)


def best_trade(prices: marks):
    best = 0
    lowest = prices[0]
    for price in prices:
        if price - lowest > best:
            best = price - lowest
        if price < lowest:
            lowest = price
    return best


def cheapest_index(prices: marks, limit: pos):
    best = -1
    for i in range(len(prices)):
        if prices[i] < limit:
            continue
        if best == -1 or prices[i] < prices[best]:
            best = i
    return best


def loyalty_points(spent: cents, member: flag):
    points = spent // 100
    if member:
        points *= 2
    if spent > 1000:
        points += 5
    return points


def free_items(quantity: nat, every: small):
    return quantity // (every + 1)


def ticket_price(age: nat, weekend: flag):
    price = 10
    if age < 6:
        return 0
    if age <= 12:
        price = 5
    if weekend:
        price += 2
    return price


def balance_after(start: nat, changes: ints):
    balance = start
    for change in changes:
        if balance + change < 0:
            continue
        balance += change
    return balance


def affordable(prices: marks, budget: big):
    bought = 0
    for price in sorted(prices):
        if price > budget:
            break
        budget -= price
        bought += 1
    return bought


def round_to_five(cents: cents):
    rest = cents % 5
    if rest < 3:
        return cents - rest
    return cents + 5 - rest


def rent_cost(days: nat, daily: pos, weekly: big):
    weeks = days // 7
    rest = days % 7
    return weeks * weekly + min(rest * daily, weekly)


def average_price(prices: marks, quantities: nats):
    cost = 0
    count = 0
    for price, quantity in zip(prices, quantities):
        cost += price * quantity
        count += quantity
    if count == 0:
        return 0
    return cost // count


def credit_check(income: big, debt: nat, limit: nat):
    if income <= 0:
        return 'no'
    if debt > limit or debt * 2 > income:
        return 'review'
    return 'yes'


def price_with_margin(cost: cents, margin: percent, cap: big):
    price = cost + cost * margin // 100
    return min(price, cost + cap)


def sum_refunds(amounts: ints):
    refunds = 0
    for amount in amounts:
        if amount < 0:
            refunds -= amount
    return refunds


def currency(amount: cents, rate: pos, fee: small):
    converted = amount * rate // 10
    if converted <= fee:
        return 0
    return converted - fee


def meter_cost(units: big, base: nat):
    cost = base
    if units <= 50:
        cost += units * 2
    else:
        cost += 100 + (units - 50) * 3
    return cost


def invoice_lines(records: records):
    lines = []
    for record in records:
        if record['qty'] > 0:
            lines.append(record['name'] + ' x' + str(record['qty']))
    return lines
