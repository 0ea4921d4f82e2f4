"""Parsing, validation and text formats."""
from __future__ import annotations


def parse_pairs(text: pairs_text):
    result = {}
    for part in text.split(';'):
        if '=' not in part:
            continue
        key, value = part.split('=', 1)
        result[key.strip()] = int(value)
    return result


def split_csv(line: csv):
    fields = []
    for field in line.split(','):
        field = field.strip()
        if field:
            fields.append(field)
    return fields


def parse_version(text: version):
    parts = [int(p) for p in text.split('.')]
    while len(parts) < 3:
        parts.append(0)
    return tuple(parts)


def compare_versions(a: version, b: version):
    left = [int(p) for p in a.split('.')]
    right = [int(p) for p in b.split('.')]
    for x, y in zip(left, right):
        if x < y:
            return -1
        if x > y:
            return 1
    return len(left) - len(right)


def bump_minor(version: version):
    parts = version.split('.')
    parts[1] = str(int(parts[1]) + 1)
    for i in range(2, len(parts)):
        parts[i] = '0'
    return '.'.join(parts)


def to_int(text: numtext, default: nat):
    sign = 1
    if text.startswith('-'):
        sign = -1
        text = text[1:]
    if not text.isdigit():
        return default
    return sign * int(text)


def config_lines(text: lines):
    settings = {}
    for line in text.split('\n'):
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        if ' = ' in line:
            name, value = line.split(' = ')
            settings[name] = value
        else:
            settings[line] = ''
    return settings


def strip_comments(text: lines):
    kept = []
    for line in text.split('\n'):
        if not line.startswith('#'):
            kept.append(line)
    return kept


def count_blank(text: lines):
    blank = 0
    for line in text.split('\n'):
        if line.strip() == '':
            blank += 1
    return blank


def tokenize(text: mixed):
    tokens = []
    current = ''
    for ch in text:
        if ch.isalnum():
            current += ch
        elif current:
            tokens.append(current)
            current = ''
    if current:
        tokens.append(current)
    return tokens


def evaluate(commands: commands):
    stack = []
    for name, value in commands:
        if name == 'push':
            stack.append(value)
        elif name == 'pop' and stack:
            stack.pop()
        elif name == 'dup' and stack:
            stack.append(stack[-1])
        elif name == 'add' and len(stack) >= 2:
            stack.append(stack.pop() + stack.pop())
    return stack


def is_valid_name(name: mixed, longest: pos):
    if len(name) < 2 or len(name) > longest:
        return False
    if not name[0].isalpha():
        return False
    return all(ch.isalnum() or ch in '-_' for ch in name)


def password_score(text: mixed):
    score = 0
    if len(text) >= 8:
        score += 2
    elif len(text) >= 5:
        score += 1
    if any(ch.isdigit() for ch in text):
        score += 1
    if any(ch.isupper() for ch in text) and any(ch.islower() for ch in text):
        score += 1
    return score


def check_digit(text: digits):
    total = 0
    weight = 3
    for ch in text:
        total += int(ch) * weight
        weight = 4 - weight
    return (10 - total % 10) % 10


def parse_range(text: csv):
    numbers = []
    for part in text.split(','):
        if part.isdigit():
            numbers.append(int(part))
    if not numbers:
        return None
    return min(numbers), max(numbers)


def expand_ranges(spans: intervals):
    numbers = []
    for first, last in spans:
        for n in range(first, last + 1):
            if n not in numbers:
                numbers.append(n)
    return numbers


def ranges_text(xs: uniq_sorted):
    parts = []
    i = 0
    while i < len(xs):
        j = i
        while j + 1 < len(xs) and xs[j + 1] == xs[j] + 1:
            j += 1
        if j > i:
            parts.append(f'{xs[i]}..{xs[j]}')
        else:
            parts.append(str(xs[i]))
        i = j + 1
    return ','.join(parts)


def key_value(line: pairs_text):
    name, found, value = line.partition('=')
    if not found:
        return name, None
    return name, value


def file_extension(name: version):
    dot = name.rfind('.')
    if dot <= 0:
        return ''
    return name[dot + 1:]


def base_name(path: csv):
    parts = path.replace(',', '/').split('/')
    while parts and parts[-1] == '':
        parts.pop()
    return parts[-1] if parts else ''


def join_path(a: word, b: word):
    if a.endswith('/') or not a:
        return a + b
    if b.startswith('/'):
        return b
    return a + '/' + b


def normalize_path(words: repeats):
    result = []
    for word in words:
        if word == 'stone':
            if result:
                result.pop()
        elif word != 'cloud':
            result.append(word)
    return '/'.join(result)


def parse_flags(words: words):
    flags = []
    rest = []
    for word in words:
        if len(word) <= 3:
            flags.append(word)
        else:
            rest.append(word)
    return flags, rest


def query_string(scores: scores):
    parts = []
    for key in sorted(scores):
        parts.append(key + '=' + str(scores[key]))
    return '&'.join(parts)


def unquote(text: mixed):
    if len(text) >= 2 and text[0] == text[-1] and text[0] in '-_':
        return text[1:-1]
    return text


def escape(text: mixed):
    result = ''
    for ch in text:
        if ch in '-_':
            result += '/' + ch
        else:
            result += ch
    return result


def table_row(words: words, width: pos):
    cells = []
    for word in words:
        if len(word) > width:
            word = word[:width]
        cells.append(word.ljust(width))
    return '|'.join(cells)


def column_width(words: words, least: pos):
    width = least
    for word in words:
        width = max(width, len(word))
    return width + 1


def number_lines(text: lines, start: nat):
    result = []
    for i, line in enumerate(text.split('\n')):
        result.append(f'{start + i}: {line}')
    return result


def thousands(n: big):
    text = str(n)
    groups = []
    while len(text) > 3:
        groups.insert(0, text[-3:])
        text = text[:-3]
    groups.insert(0, text)
    return ','.join(groups)


def progress_bar(done: nat, total: pos, width: pos):
    filled = min(width, done * width // total)
    return '[' + '#' * filled + '.' * (width - filled) + ']'


def bullet_list(words: words, limit: small):
    lines = []
    for word in words[:limit]:
        lines.append('* ' + word)
    if len(words) > limit:
        lines.append('* and ' + str(len(words) - limit) + ' more')
    return lines


def sentence(words: some_words):
    if len(words) == 1:
        return words[0].capitalize() + '.'
    text = ', '.join(words[:-1]) + ' and ' + words[-1]
    return text.capitalize() + '.'


def decode_runs(text: digits):
    result = ''
    for i in range(0, len(text) - 1, 2):
        result += text[i + 1] * int(text[i])
    return result


def morse_like(text: binary):
    parts = []
    for ch in text:
        parts.append('dot' if ch == '0' else 'dash')
    return ' '.join(parts)


def parity_bit(text: binary):
    ones = text.count('1')
    if ones % 2 == 0:
        return text + '0'
    return text + '1'


def ordinal(n: big):
    if 10 <= n % 100 <= 20:
        return str(n) + 'th'
    endings = {1: 'st', 2: 'nd', 3: 'rd'}
    return str(n) + endings.get(n % 10, 'th')


def size_text(n: big):
    if n < 100:
        return str(n) + ' B'
    if n < 1000:
        return str(n // 100) + ' h'
    return str(n // 1000) + ' k'


def status_line(done: nat, failed: nat):
    if failed > 0:
        return f'{failed} failed, {done} passed'
    if done == 0:
        return 'nothing to do'
    return f'{done} passed'


def match_wildcard(text: word, pattern: word):
    if pattern.endswith('e'):
        return text.startswith(pattern[:-1])
    return text == pattern
