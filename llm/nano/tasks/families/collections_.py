"""Dictionaries, records and tallies."""
from __future__ import annotations


def tally(words: repeats):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def merge_counts(a: scores, b: scores):
    merged = dict(a)
    for key, value in b.items():
        merged[key] = merged.get(key, 0) + value
    return merged


def invert(mapping: scores):
    result = {}
    for key, value in mapping.items():
        result.setdefault(value, []).append(key)
    return result


def top_key(scores: scores):
    best = None
    for key in sorted(scores):
        if best is None or scores[key] > scores[best]:
            best = key
    return best


def keys_above(scores: scores, limit: nat):
    return sorted(key for key, value in scores.items() if value > limit)


def total_price(records: records):
    total = 0
    for record in records:
        total += record['qty'] * record['price']
    return total


def names_of_active(people: people):
    names = []
    for person in people:
        if person['active']:
            names.append(person['name'])
    return names


def adults(people: people, limit: big):
    return [p['name'] for p in people if p['age'] >= limit]


def oldest(people: people):
    best = people[0]
    for person in people:
        if person['age'] > best['age']:
            best = person
    return best['name']


def average_age(people: people):
    total = 0
    for person in people:
        total += person['age']
    return total // len(people)


def restock(records: records, minimum: nat):
    missing = []
    for record in records:
        if record['qty'] < minimum:
            missing.append((record['name'], minimum - record['qty']))
    return missing


def most_common(words: repeats):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    best = words[0]
    for word in counts:
        if counts[word] > counts[best]:
            best = word
    return best


def remove_item(stock: stock, name: word, amount: small):
    left = dict(stock)
    if name in left:
        left[name] = max(0, left[name] - amount)
    return left


def apply_updates(base: scores, changes: scores):
    result = dict(base)
    for key in changes:
        if changes[key] == 0:
            result.pop(key, None)
        else:
            result[key] = changes[key]
    return result


def common_keys(a: scores, b: scores):
    shared = []
    for key in a:
        if key in b and a[key] == b[key]:
            shared.append(key)
    return shared


def group_pairs(pairs: pairs):
    groups = {}
    for name, value in pairs:
        if name not in groups:
            groups[name] = []
        groups[name].append(value)
    return groups


def best_per_name(pairs: pairs):
    best = {}
    for name, value in pairs:
        if name not in best or value > best[name]:
            best[name] = value
    return best


def rank(scores: scores):
    ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [name for name, _ in ordered]


def count_by_parity(xs: ints):
    counts = {'even': 0, 'odd': 0}
    for x in xs:
        if x % 2 == 0:
            counts['even'] += 1
        else:
            counts['odd'] += 1
    return counts


def lookup_chain(mapping: graph, start: letter):
    chain = []
    current = start
    while current in mapping and mapping[current] and current not in chain:
        chain.append(current)
        current = mapping[current][0]
    return chain


def flatten(nested: nested):
    flat = []
    for item in nested:
        if isinstance(item, list):
            flat.extend(flatten(item))
        else:
            flat.append(item)
    return flat


def depth_of(nested: nested):
    deepest = 0
    for item in nested:
        if isinstance(item, list):
            deepest = max(deepest, depth_of(item))
    return deepest + 1


def index_words(words: words):
    index = {}
    for position, word in enumerate(words):
        if word not in index:
            index[word] = position
    return index


def duplicates(words: repeats):
    seen = set()
    twice = set()
    for word in words:
        if word in seen:
            twice.add(word)
        else:
            seen.add(word)
    return sorted(twice)


def histogram_lines(scores: scores):
    lines = []
    for name in sorted(scores):
        lines.append(name + ': ' + '#' * scores[name])
    return lines


def difference_keys(old: scores, new: scores):
    added = [k for k in new if k not in old]
    removed = [k for k in old if k not in new]
    return sorted(added), sorted(removed)


def cheapest(records: records, budget: nat):
    best = None
    for record in records:
        if record['price'] > budget:
            continue
        if best is None or record['price'] < best['price']:
            best = record
    return best['name'] if best else ''


def pluck(records: records, low: nat, high: pos):
    return [r['name'] for r in records if low <= r['qty'] <= high]


def zip_to_dict(keys: words, values: nats, default: nat):
    result = {}
    for i, key in enumerate(keys):
        if i < len(values):
            result[key] = values[i]
        else:
            result[key] = default
    return result


def share_of(scores: scores, name: word):
    total = sum(scores.values())
    if total == 0:
        return 0
    return scores.get(name, 0) * 100 // total


def transfer(stock: stock, source: word, target: word, amount: nat):
    result = dict(stock)
    if result.get(source, 0) < amount:
        return result
    result[source] = result.get(source, 0) - amount
    result[target] = result.get(target, 0) + amount
    return result


def nested_total(lists: lists):
    total = 0
    for row in lists:
        for value in row:
            total += value
    return total


def longest_list(lists: lists):
    best = []
    for row in lists:
        if len(row) > len(best):
            best = row
    return best
