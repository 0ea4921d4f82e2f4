"""Words, characters and texts."""
from __future__ import annotations


def count_vowels(text: text):
    count = 0
    for ch in text.lower():
        if ch in 'aeiou':
            count += 1
    return count


def is_palindrome(word: word):
    left = 0
    right = len(word) - 1
    while left < right:
        if word[left] != word[right]:
            return False
        left += 1
        right -= 1
    return True


def initials(name: text):
    letters = ''
    for part in name.split():
        letters += part[0].upper()
    return letters


def shorten(text: text, limit: pos):
    if len(text) <= limit:
        return text
    return text[:limit] + '...'


def compress_runs(text: digits):
    result = ''
    i = 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        result += text[i] + str(j - i)
        i = j
    return result


def caesar(text: word, shift: small):
    result = ''
    for ch in text:
        if ch.islower():
            result += chr((ord(ch) - ord('a') + shift) % 26 + ord('a'))
        else:
            result += ch
    return result


def longest_word(text: text):
    best = ''
    for word in text.split():
        if len(word) > len(best):
            best = word
    return best


def title_words(text: text):
    words = []
    for word in text.split():
        words.append(word[0].upper() + word[1:])
    return ' '.join(words)


def swap_case(text: mixed):
    result = ''
    for ch in text:
        if ch.isupper():
            result += ch.lower()
        else:
            result += ch.upper()
    return result


def digits_only(text: mixed):
    kept = []
    for ch in text:
        if ch.isdigit():
            kept.append(ch)
    return ''.join(kept)


def common_prefix(a: word, b: word):
    size = 0
    while size < len(a) and size < len(b) and a[size] == b[size]:
        size += 1
    return a[:size]


def hamming(a: binary, b: binary):
    distance = abs(len(a) - len(b))
    for x, y in zip(a, b):
        if x != y:
            distance += 1
    return distance


def pad_left(text: word, width: pos, fill: char):
    while len(text) < width:
        text = fill + text
    return text


def center_line(text: word, width: pos):
    space = width - len(text)
    if space <= 0:
        return text
    left = space // 2
    return '.' * left + text + '.' * (space - left)


def snake_case(name: mixed):
    result = ''
    for i, ch in enumerate(name):
        if ch.isupper():
            if i > 0:
                result += '_'
            result += ch.lower()
        else:
            result += ch
    return result


def camel_case(text: text):
    parts = text.lower().split()
    if not parts:
        return ''
    return parts[0] + ''.join(p.capitalize() for p in parts[1:])


def slug(text: text):
    cleaned = ''
    for ch in text.lower():
        if ch.isalnum():
            cleaned += ch
        elif cleaned and cleaned[-1] != '-':
            cleaned += '-'
    return cleaned.strip('-')


def reverse_words(text: text):
    words = text.split()
    words.reverse()
    return ' '.join(words)


def count_char(text: word, ch: letter):
    total = 0
    for c in text:
        if c == ch:
            total += 1
    return total


def first_repeated(text: word):
    seen = set()
    for ch in text:
        if ch in seen:
            return ch
        seen.add(ch)
    return ''


def is_anagram(a: word, b: word):
    return sorted(a.lower()) == sorted(b.lower())


def strip_punctuation(text: text):
    while text and not text[-1].isalnum():
        text = text[:-1]
    return text


def mask_number(digits: digits, shown: small):
    hidden = len(digits) - shown
    if hidden <= 0:
        return digits
    return '*' * hidden + digits[-shown:]


def wrap_words(text: text, width: pos):
    lines = []
    line = ''
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        elif line:
            line += ' ' + word
        else:
            line = word
    if line:
        lines.append(line)
    return lines


def word_lengths(words: words):
    lengths = {}
    for word in words:
        lengths[word] = len(word)
    return lengths


def group_by_first(words: words):
    groups = {}
    for word in words:
        groups.setdefault(word[0], []).append(word)
    return groups


def ends_match(word: word):
    if len(word) < 2:
        return False
    return word[0] == word[-1]


def remove_vowels(text: text):
    return ''.join(ch for ch in text if ch.lower() not in 'aeiou')


def plural(count: nat, noun: word):
    if count == 1:
        return str(count) + ' ' + noun
    if noun.endswith('s'):
        return str(count) + ' ' + noun + 'es'
    return str(count) + ' ' + noun + 's'


def vowel_score(word: word):
    score = 0
    for i, ch in enumerate(word):
        if ch in 'aeiou':
            score += i + 1
        else:
            score -= 1
    return score


def rotate_text(text: word, steps: nat):
    if not text:
        return text
    steps = steps % len(text)
    return text[-steps:] + text[:-steps]


def alternate_case(text: word):
    letters = []
    for i, ch in enumerate(text):
        if i % 2 == 0:
            letters.append(ch.upper())
        else:
            letters.append(ch.lower())
    return ''.join(letters)


def middle(text: word):
    half = len(text) // 2
    if len(text) % 2 == 0:
        return text[half - 1:half + 1]
    return text[half]


def is_identifier(text: mixed):
    if not text or text[0].isdigit():
        return False
    for ch in text:
        if not (ch.isalnum() or ch == '_'):
            return False
    return True


def count_words(text: text, shortest: small):
    return sum(1 for word in text.split() if len(word) >= shortest)


def bracket_depth(text: brackets):
    depth = 0
    deepest = 0
    for ch in text:
        if ch == '(':
            depth += 1
            deepest = max(deepest, depth)
        elif ch == ')':
            depth -= 1
    return deepest


def is_balanced(text: brackets):
    opened = []
    pairs = {')': '(', ']': '[', '}': '{'}
    for ch in text:
        if ch in '([{':
            opened.append(ch)
        elif ch in pairs:
            if not opened or opened.pop() != pairs[ch]:
                return False
    return not opened


def between(text: brackets):
    start = text.find('(')
    end = text.rfind(')')
    if start == -1 or end < start:
        return ''
    return text[start + 1:end]


def quote_csv(value: mixed):
    if ',' in value or ' ' in value:
        return '"' + value + '"'
    return value


def repeat_join(word: word, times: small, glue: char):
    return glue.join([word] * times)


def edit_one(a: word, b: word):
    if len(a) != len(b):
        return False
    changed = 0
    for i in range(len(a)):
        if a[i] != b[i]:
            changed += 1
    return changed == 1


def most_common_letter(text: word):
    best = ''
    most = 0
    for ch in sorted(set(text)):
        if text.count(ch) > most:
            most = text.count(ch)
            best = ch
    return best


def indent_lines(text: lines, depth: small):
    pad = ' ' * depth
    return '\n'.join(pad + line if line else line for line in text.split('\n'))


def truncate_middle(text: text, limit: pos):
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head
    return text[:head] + '~' + text[len(text) - tail:]
