"""Arithmetic, counters, digits and bits."""
from __future__ import annotations


def clamp(value: int_, low: nat, high: pos):
    if value < low:
        return low
    if value > high:
        return high
    return value


def sign(n: int_):
    if n > 0:
        return 1
    if n < 0:
        return -1
    return 0


def gcd(a: pos, b: nat):
    while b != 0:
        a, b = b, a % b
    return a


def lcm(a: pos, b: pos):
    x, y = a, b
    while y:
        x, y = y, x % y
    return a * b // x


def is_prime(n: nat):
    if n < 2:
        return False
    d = 2
    while d * d <= n:
        if n % d == 0:
            return False
        d += 1
    return True


def digit_sum(n: big):
    total = 0
    while n > 0:
        total += n % 10
        n //= 10
    return total


def reverse_digits(n: big):
    result = 0
    while n > 0:
        result = result * 10 + n % 10
        n //= 10
    return result


def count_divisors(n: pos):
    count = 0
    for d in range(1, n + 1):
        if n % d == 0:
            count += 1
    return count


def factorial(n: size):
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


def fibonacci(n: nat):
    a = 0
    b = 1
    for _ in range(n):
        a, b = b, a + b
    return a


def triangle(n: nat):
    return n * (n + 1) // 2


def power(base: small, exponent: size):
    result = 1
    while exponent > 0:
        result *= base
        exponent -= 1
    return result


def collatz_steps(n: pos):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def integer_root(n: big):
    root = 0
    while (root + 1) * (root + 1) <= n:
        root += 1
    return root


def round_up(value: big, step: pos):
    rest = value % step
    if rest == 0:
        return value
    return value + step - rest


def ceil_div(a: big, b: pos):
    return (a + b - 1) // b


def to_binary(n: bits):
    if n == 0:
        return '0'
    digits = ''
    while n > 0:
        digits = str(n % 2) + digits
        n //= 2
    return digits


def from_binary(text: binary):
    value = 0
    for ch in text:
        value = value * 2
        if ch == '1':
            value += 1
    return value


def count_bits(n: bits):
    count = 0
    while n:
        count += n & 1
        n >>= 1
    return count


def has_bit(n: bits, index: size):
    return n >> index & 1 == 1


def set_range(low: size, high: size):
    mask = 0
    for bit in range(low, high):
        mask |= 1 << bit
    return mask


def is_perfect(n: nat):
    total = 0
    for d in range(1, n):
        if n % d == 0:
            total += d
    return total == n and n > 0


def prime_factors(n: big):
    factors = []
    d = 2
    while d * d <= n:
        while n % d == 0:
            factors.append(d)
            n //= d
        d += 1
    if n > 1:
        factors.append(n)
    return factors


def sum_multiples(limit: nat, a: small, b: pos):
    total = 0
    for n in range(1, limit):
        if n % a == 0 or n % b == 0:
            total += n
    return total


def fizz(n: big):
    if n % 15 == 0:
        return 'FizzBuzz'
    if n % 3 == 0:
        return 'Fizz'
    if n % 5 == 0:
        return 'Buzz'
    return str(n)


def distance(a: point, b: point):
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def luhn_sum(digits: digits):
    total = 0
    for i, ch in enumerate(reversed(digits)):
        d = int(ch)
        if i % 2 == 1:
            d *= 2
            if d > 9:
                d -= 9
        total += d
    return total % 10


def average(values: floats):
    if not values:
        return 0.0
    return sum(values) / len(values)


def weighted_sum(values: marks, weights: nats):
    total = 0
    for i in range(min(len(values), len(weights))):
        total += values[i] * weights[i]
    return total


def scale_to(value: percent, high: pos):
    return value * high // 100


def to_roman(n: nat):
    result = ''
    for value, symbol in ((10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')):
        while n >= value:
            result += symbol
            n -= value
    return result


def from_roman(text: moves):
    values = {'U': 1, 'D': 5, 'L': 10, 'R': 50}
    total = 0
    for i, ch in enumerate(text):
        value = values[ch]
        if i + 1 < len(text) and values[text[i + 1]] > value:
            total -= value
        else:
            total += value
    return total


def hex_value(text: hexa):
    value = 0
    for ch in text:
        if ch.isdigit():
            digit = int(ch)
        else:
            digit = ord(ch) - ord('a') + 10
        value = value * 16 + digit
    return value


def grade(mark: percent):
    if mark >= 90:
        return 'A'
    elif mark >= 75:
        return 'B'
    elif mark >= 50:
        return 'C'
    return 'F'


def in_range(value: nat, low: nat, high: nat):
    return low <= value < high


def next_even(n: int_):
    if n % 2 == 0:
        return n + 2
    return n + 1


def median_of_three(a: int_, b: int_, c: int_):
    if a > b:
        a, b = b, a
    if b > c:
        b = c
    return max(a, b)


def is_triangle(a: pos, b: pos, c: pos):
    return a + b > c and a + c > b and b + c > a


def count_trailing_zeros(n: big):
    if n == 0:
        return 0
    zeros = 0
    while n % 10 == 0:
        zeros += 1
        n //= 10
    return zeros


def temperature_band(degrees: int_):
    if degrees < 0:
        return 'ice'
    if degrees < 10:
        return 'cold'
    if degrees <= 20:
        return 'mild'
    return 'warm'


def wrap_index(index: int_, size: pos):
    index = index % size
    if index < 0:
        index += size
    return index


def steps_between(start: nat, stop: nat, step: small):
    count = 0
    current = start
    while current < stop:
        current += step
        count += 1
    return count


def bounded_add(a: nat, b: nat, top: pos):
    total = a + b
    if total > top:
        total = top
    return total


def polynomial(coefficients: ints, x: small):
    result = 0
    for c in coefficients:
        result = result * x + c
    return result


def growth(values: nats):
    changes = 0
    for previous, current in zip(values, values[1:]):
        if current > previous:
            changes += 1
        elif current < previous:
            changes -= 1
    return changes
