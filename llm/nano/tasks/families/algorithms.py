"""Searching, sorting, graphs, scheduling and dynamic programming."""
from __future__ import annotations


def binary_search(xs: uniq_sorted, wanted: nat):
    low = 0
    high = len(xs) - 1
    while low <= high:
        middle = (low + high) // 2
        if xs[middle] == wanted:
            return middle
        if xs[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def lower_bound(xs: sorted_, value: nat):
    low = 0
    high = len(xs)
    while low < high:
        middle = (low + high) // 2
        if xs[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def insertion_sort(xs: ints):
    result = list(xs)
    for i in range(1, len(result)):
        value = result[i]
        j = i - 1
        while j >= 0 and result[j] > value:
            result[j + 1] = result[j]
            j -= 1
        result[j + 1] = value
    return result


def bubble_sort(xs: ints):
    items = list(xs)
    for end in range(len(items) - 1, 0, -1):
        for i in range(end):
            if items[i] > items[i + 1]:
                items[i], items[i + 1] = items[i + 1], items[i]
    return items


def selection_steps(xs: ints):
    items = list(xs)
    swaps = 0
    for i in range(len(items)):
        best = i
        for j in range(i + 1, len(items)):
            if items[j] < items[best]:
                best = j
        if best != i:
            items[i], items[best] = items[best], items[i]
            swaps += 1
    return swaps


def quick_sort(xs: ints):
    if len(xs) <= 1:
        return xs
    pivot = xs[0]
    smaller = [x for x in xs[1:] if x < pivot]
    larger = [x for x in xs[1:] if x >= pivot]
    return quick_sort(smaller) + [pivot] + quick_sort(larger)


def count_inversions(xs: ints):
    count = 0
    for i in range(len(xs)):
        for j in range(i + 1, len(xs)):
            if xs[i] > xs[j]:
                count += 1
    return count


def two_sum(xs: ints, target: nat):
    seen = {}
    for i, x in enumerate(xs):
        if target - x in seen:
            return seen[target - x], i
        seen[x] = i
    return None


def reachable(graph: graph, start: letter):
    if start not in graph:
        return []
    seen = [start]
    queue = [start]
    while queue:
        node = queue.pop(0)
        for other in graph[node]:
            if other not in seen:
                seen.append(other)
                queue.append(other)
    return sorted(seen)


def distance_in(graph: graph):
    distances = {'a': 0}
    queue = ['a']
    while queue:
        node = queue.pop(0)
        for other in graph[node]:
            if other not in distances:
                distances[other] = distances[node] + 1
                queue.append(other)
    return distances


def in_degrees(graph: graph):
    degrees = {node: 0 for node in graph}
    for node in graph:
        for other in graph[node]:
            degrees[other] += 1
    return degrees


def leaf_nodes(graph: graph):
    return sorted(node for node in graph if not graph[node])


def edge_count(graph: graph):
    total = 0
    for node in graph:
        total += len(graph[node])
    return total


def reversed_graph(graph: graph):
    result = {node: [] for node in graph}
    for node in graph:
        for other in graph[node]:
            result[other].append(node)
    return result


def mutual_friends(graph: graph, a: letter, b: letter):
    first = graph.get(a, [])
    second = graph.get(b, [])
    return sorted(n for n in first if n in second)


def tree_sum(tree: tree):
    if tree is None:
        return 0
    value, left, right = tree
    return value + tree_sum(left) + tree_sum(right)


def tree_height(tree: tree):
    if tree is None:
        return 0
    left = tree_height(tree[1])
    right = tree_height(tree[2])
    return 1 + max(left, right)


def tree_leaves(tree: tree):
    if tree is None:
        return 0
    if tree[1] is None and tree[2] is None:
        return 1
    return tree_leaves(tree[1]) + tree_leaves(tree[2])


def in_order(tree: tree):
    if tree is None:
        return []
    return in_order(tree[1]) + [tree[0]] + in_order(tree[2])


def tree_contains(tree: tree, wanted: nat):
    if tree is None:
        return False
    if tree[0] == wanted:
        return True
    return tree_contains(tree[1], wanted) or tree_contains(tree[2], wanted)


def climb_ways(steps: nat):
    previous = 1
    current = 1
    for _ in range(steps - 1):
        previous, current = current, previous + current
    return current


def coin_ways(amount: nat):
    ways = [1] + [0] * amount
    for coin in (1, 2, 5):
        for total in range(coin, amount + 1):
            ways[total] += ways[total - coin]
    return ways[amount]


def longest_increasing(xs: ints):
    lengths = []
    for i, x in enumerate(xs):
        best = 0
        for j in range(i):
            if xs[j] < x and lengths[j] > best:
                best = lengths[j]
        lengths.append(best + 1)
    return max(lengths) if lengths else 0


def edit_distance(a: word, b: word):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        previous = row[0]
        row[0] = i + 1
        for j, y in enumerate(b):
            cost = previous if x == y else previous + 1
            previous = row[j + 1]
            row[j + 1] = min(cost, row[j] + 1, previous + 1)
    return row[-1]


def common_length(a: word, b: word):
    row = [0] * (len(b) + 1)
    for x in a:
        previous = 0
        for j, y in enumerate(b):
            saved = row[j + 1]
            if x == y:
                row[j + 1] = previous + 1
            else:
                row[j + 1] = max(row[j + 1], row[j])
            previous = saved
    return row[-1]


def pascal_row(n: size):
    row = [1]
    for k in range(n):
        row.append(row[k] * (n - k) // (k + 1))
    return row


def sieve(limit: nat):
    primes = []
    marked = [False] * (limit + 1)
    for n in range(2, limit + 1):
        if marked[n]:
            continue
        primes.append(n)
        for multiple in range(n * n, limit + 1, n):
            marked[multiple] = True
    return primes


def water_level(heights: nats):
    level = 0
    total = 0
    for height in heights:
        if height > level:
            level = height
        else:
            total += level - height
    return total


def jump_reaches(jumps: nats):
    reach = 0
    for i, jump in enumerate(jumps):
        if i > reach:
            return False
        reach = max(reach, i + jump)
    return True


def majority(xs: runs):
    candidate = None
    votes = 0
    for x in xs:
        if votes == 0:
            candidate = x
        if x == candidate:
            votes += 1
        else:
            votes -= 1
    return candidate


def kth_smallest(xs: some, k: small):
    ordered = sorted(set(xs))
    if k > len(ordered):
        return None
    return ordered[k - 1]


def schedule(tasks: pairs, limit: nat):
    done = []
    used = 0
    for name, length in sorted(tasks, key=lambda task: task[1]):
        if used + length > limit:
            break
        used += length
        done.append(name)
    return done


def round_robin(lengths: nats, slice_: small):
    order = []
    left = [[i, n] for i, n in enumerate(lengths)]
    while left:
        job = left.pop(0)
        order.append(job[0])
        job[1] -= slice_
        if job[1] > 0:
            left.append(job)
    return order


def priority_order(pairs: pairs):
    ordered = sorted(pairs, key=lambda p: (-p[1], p[0]))
    return [name for name, _ in ordered]


def max_window(xs: nats, size: small):
    if len(xs) < size:
        return 0
    total = sum(xs[:size])
    best = total
    for i in range(size, len(xs)):
        total += xs[i] - xs[i - size]
        best = max(best, total)
    return best


def shortest_span(xs: nats, target: pos):
    best = 0
    start = 0
    total = 0
    for end in range(len(xs)):
        total += xs[end]
        while total >= target:
            length = end - start + 1
            if best == 0 or length < best:
                best = length
            total -= xs[start]
            start += 1
    return best


def next_greater(xs: ints):
    result = []
    for i in range(len(xs)):
        found = -1
        for x in xs[i + 1:]:
            if x > xs[i]:
                found = x
                break
        result.append(found)
    return result


def permutations_of(word: letter, extra: small):
    if extra == 0:
        return ['']
    return [word + rest for rest in permutations_of(word, extra - 1)]


def subsets(xs: runs):
    result = [[]]
    for x in xs[:3]:
        result = result + [chosen + [x] for chosen in result]
    return result


def hanoi_moves(disks: small):
    if disks == 0:
        return 0
    return 2 * hanoi_moves(disks - 1) + 1


def majority_side(flags: flags):
    yes = sum(1 for flag in flags if flag)
    no = len(flags) - yes
    if yes > no:
        return 'yes'
    if no > yes:
        return 'no'
    return 'tie'
