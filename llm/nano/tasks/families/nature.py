"""Measures, weather, biology, physics and networks."""
from __future__ import annotations


def complement_strand(text: word):
    result = ""
    for base in text:
        if base == "a":
            result += "t"
        elif base == "t":
            result += "a"
        elif base == "c":
            result += "g"
        elif base == "g":
            result += "c"
    return result


def point_mutations(first: word, second: word):
    count = abs(len(first) - len(second))
    for a, b in zip(first, second):
        if a != b:
            count += 1
    return count


def fahrenheit(celsius: int_):
    return celsius * 9 / 5 + 32


def wind_name(speed: big):
    if speed < 1:
        return "calm"
    if speed < 12:
        return "breeze"
    if speed < 75:
        return "wind"
    return "storm"


def frost_days(lows: ints):
    return len([low for low in lows if low < 0])


def temperature_range(readings: floats):
    return max(readings) - min(readings)


def smooth(readings: floats):
    result = []
    for i in range(len(readings)):
        window = readings[max(0, i - 1):i + 2]
        result.append(round(sum(window) / len(window), 2))
    return result


def rain_warning(amounts: nats, limit: nat):
    total = 0
    for amount in amounts:
        total += amount
        if total > limit:
            return True
    return False


def braking_distance(speed: big, wet: flag):
    distance = speed * speed // 100
    if wet:
        distance *= 2
    return distance + speed * 3 // 10


def half_life(amount: big, periods: small):
    for _ in range(periods):
        amount = amount / 2
    return amount


def population(start: pos, births: small, deaths: small, years: size):
    for _ in range(years):
        start = start + start * births // 10 - deaths
        if start < 0:
            return 0
    return start


def resistors_in_series(values: nats):
    total = 0
    for value in values:
        if value > 0:
            total += value
    return total


def ip_class(first: big):
    if first < 128:
        return "A"
    if first < 192:
        return "B"
    if first < 224:
        return "C"
    return "other"


def is_ipv4(text: version):
    parts = text.split(".")
    if len(parts) != 3:
        return False
    for part in parts:
        if not part.isdigit() or int(part) > 9:
            return False
    return True


def parity_bit(bits: bits):
    ones = 0
    while bits:
        ones += bits & 1
        bits = bits >> 1
    return ones % 2


def checksum(data: nats):
    total = 0
    for i, value in enumerate(data):
        total += (i + 1) * value
    return total % 256


def retry_delays(attempts: size, limit: big):
    delays = []
    delay = 1
    for _ in range(attempts):
        delays.append(min(delay, limit))
        delay *= 2
    return delays


def packets(size: big, limit: pos):
    count = size // limit
    if size % limit != 0:
        count += 1
    return count


def merge_ranges(spans: intervals):
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def reachable(graph: graph, start: letter):
    seen = []
    queue = [start]
    while queue:
        node = queue.pop(0)
        if node in seen:
            continue
        seen.append(node)
        queue.extend(graph.get(node, []))
    return seen


def out_degree(graph: graph):
    return {node: len(graph[node]) for node in sorted(graph)}


def has_edge_back(graph: graph):
    for node in graph:
        for other in graph[node]:
            if node in graph.get(other, []):
                return True
    return False


def tree_sum(tree: tree):
    if tree is None:
        return 0
    value, left, right = tree
    return value + tree_sum(left) + tree_sum(right)


def tree_height(tree: tree):
    if tree is None:
        return 0
    return 1 + max(tree_height(tree[1]), tree_height(tree[2]))


def tree_smallest(tree: tree):
    if tree is None:
        return None
    smallest = tree[0]
    for child in (tree[1], tree[2]):
        value = tree_smallest(child)
        if value is not None and value < smallest:
            smallest = value
    return smallest


def grid_path_sum(grid: grid):
    total = 0
    row = 0
    column = 0
    while row < len(grid) and column < len(grid[0]):
        total += grid[row][column]
        row += 1
        column += 1
    return total


def border_sum(grid: grid):
    total = 0
    for y, row in enumerate(grid):
        for x, value in enumerate(row):
            if y == 0 or x == 0 or y == len(grid) - 1 or x == len(row) - 1:
                total += value
    return total


def peak_positions(heights: nats):
    peaks = []
    for i in range(1, len(heights) - 1):
        if heights[i] > heights[i - 1] and heights[i] > heights[i + 1]:
            peaks.append(i)
    return peaks


def water_between(heights: nats):
    water = 0
    for i in range(len(heights)):
        left = max(heights[:i + 1])
        right = max(heights[i:])
        water += min(left, right) - heights[i]
    return water


def triangle_kind(a: pos, b: pos, c: pos):
    if a + b <= c or a + c <= b or b + c <= a:
        return "none"
    if a == b and b == c:
        return "equilateral"
    if a == b or b == c or a == c:
        return "isosceles"
    return "scalene"


def inside_circle(point: point, radius: pos):
    x, y = point
    return x * x + y * y <= radius * radius


def bounding_box(points: points):
    xs = [x for x, _ in points]
    ys = [y for _, y in points]
    return (min(xs), min(ys), max(xs), max(ys))


def path_length(points: points):
    length = 0
    for a, b in zip(points, points[1:]):
        length += abs(a[0] - b[0]) + abs(a[1] - b[1])
    return length


def rectangles_overlap(a: span, b: span):
    return a[0] < b[1] and b[0] < a[1]
