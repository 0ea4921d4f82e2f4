"""Lists of numbers. Annotations name the kind of value that a parameter is sampled from."""
from __future__ import annotations


def count_above(xs: ints, limit: nat):
    total = 0
    for x in xs:
        if x > limit:
            total += 1
    return total


def sum_between(xs: ints, low: int_, high: int_):
    total = 0
    for x in xs:
        if low <= x <= high:
            total += x
    return total


def largest(xs: some):
    best = xs[0]
    for x in xs[1:]:
        if x > best:
            best = x
    return best


def index_of_smallest(xs: some):
    best = 0
    for i in range(1, len(xs)):
        if xs[i] < xs[best]:
            best = i
    return best


def second_largest(xs: pair_up):
    first = max(xs[0], xs[1])
    second = min(xs[0], xs[1])
    for x in xs[2:]:
        if x > first:
            second = first
            first = x
        elif x > second:
            second = x
    return second


def running_totals(xs: ints):
    result = []
    total = 0
    for x in xs:
        total += x
        result.append(total)
    return result


def differences(xs: ints):
    result = []
    for i in range(1, len(xs)):
        result.append(xs[i] - xs[i - 1])
    return result


def chunk(xs: ints, size: small):
    parts = []
    for i in range(0, len(xs), size):
        parts.append(xs[i:i + size])
    return parts


def rotate_left(xs: some, k: nat):
    k = k % len(xs)
    return xs[k:] + xs[:k]


def unique(xs: runs):
    seen = set()
    result = []
    for x in xs:
        if x not in seen:
            seen.add(x)
            result.append(x)
    return result


def longest_run(xs: runs):
    best = 0
    current = 0
    previous = None
    for x in xs:
        if x == previous:
            current += 1
        else:
            current = 1
        best = max(best, current)
        previous = x
    return best


def is_increasing(xs: sorted_):
    for i in range(len(xs) - 1):
        if xs[i] >= xs[i + 1]:
            return False
    return True


def merge_sorted(a: sorted_, b: sorted_):
    result = []
    i = 0
    j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            result.append(a[i])
            i += 1
        else:
            result.append(b[j])
            j += 1
    result.extend(a[i:])
    result.extend(b[j:])
    return result


def remove_value(xs: runs, value: small):
    result = []
    for x in xs:
        if x != value:
            result.append(x)
    return result


def pair_sums(xs: ints):
    sums = []
    for i in range(0, len(xs) - 1, 2):
        sums.append(xs[i] + xs[i + 1])
    return sums


def moving_average(xs: floats, width: small):
    result = []
    for i in range(len(xs) - width + 1):
        result.append(sum(xs[i:i + width]) / width)
    return result


def partition(xs: ints, pivot: nat):
    small = []
    large = []
    for x in xs:
        if x < pivot:
            small.append(x)
        else:
            large.append(x)
    return small, large


def count_peaks(xs: ints):
    peaks = 0
    for i in range(1, len(xs) - 1):
        if xs[i] > xs[i - 1] and xs[i] > xs[i + 1]:
            peaks += 1
    return peaks


def every_nth(xs: ints, n: small):
    picked = []
    for i, x in enumerate(xs):
        if i % n == 0:
            picked.append(x)
    return picked


def clamp_all(xs: ints, low: nat, high: pos):
    return [max(low, min(high, x)) for x in xs]


def spread(xs: some):
    return max(xs) - min(xs)


def take_while_positive(xs: ints):
    taken = []
    for x in xs:
        if x <= 0:
            break
        taken.append(x)
    return taken


def interleave(a: ints, b: ints):
    result = []
    for i in range(max(len(a), len(b))):
        if i < len(a):
            result.append(a[i])
        if i < len(b):
            result.append(b[i])
    return result


def max_subarray(xs: some):
    best = xs[0]
    current = xs[0]
    for x in xs[1:]:
        current = max(x, current + x)
        best = max(best, current)
    return best


def find_last(xs: runs, value: small):
    for i in range(len(xs) - 1, -1, -1):
        if xs[i] == value:
            return i
    return -1


def drop_outliers(xs: marks, low: pos, high: big):
    kept = []
    for x in xs:
        if x < low or x > high:
            continue
        kept.append(x)
    return kept


def dot(a: ints, b: ints):
    total = 0
    for x, y in zip(a, b):
        total += x * y
    return total


def top_marks(xs: marks, count: small):
    ordered = sorted(xs, reverse=True)
    return ordered[:count]


def trimmed_mean(xs: marks):
    ordered = sorted(xs)
    if len(ordered) > 2:
        ordered = ordered[1:-1]
    return sum(ordered) // len(ordered)
