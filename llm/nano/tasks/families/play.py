"""Games, sports and puzzles."""
from __future__ import annotations


def winner_of(a: nat, b: nat):
    if a > b:
        return "home"
    if a < b:
        return "guest"
    return "draw"


def league_points(results: pairs):
    points = 0
    for _, goals in results:
        if goals > 2:
            points += 3
        elif goals == 2:
            points += 1
    return points


def dice_score(dice: runs):
    score = 0
    for face in (1, 2, 3):
        count = dice.count(face)
        if count >= 3:
            score += face * 100
            count -= 3
        if face == 1:
            score += count * 10
    return score


def robot_position(moves: moves):
    x = 0
    y = 0
    for move in moves:
        if move == "U":
            y += 1
        elif move == "D":
            y -= 1
        elif move == "R":
            x += 1
        elif move == "L":
            x -= 1
    return (x, y)


def knight_can_reach(start: point, goal: point):
    dx = abs(start[0] - goal[0])
    dy = abs(start[1] - goal[1])
    return (dx == 1 and dy == 2) or (dx == 2 and dy == 1)


def bishop_attacks(a: point, b: point):
    return a != b and abs(a[0] - b[0]) == abs(a[1] - b[1])


def hangman(word: word, guesses: word):
    shown = ""
    for letter in word:
        if letter in guesses:
            shown += letter
        else:
            shown += "_"
    return shown


def mastermind_hits(secret: runs, guess: runs):
    hits = 0
    for a, b in zip(secret, guess):
        if a == b:
            hits += 1
    return hits


def level_for(points: big):
    level = 1
    needed = 10
    while points >= needed and level < 9:
        points -= needed
        needed += 10
        level += 1
    return level


def health_after(health: pos, hits: nats, armor: small):
    for hit in hits:
        damage = max(hit - armor, 0)
        health -= damage
        if health <= 0:
            return 0
    return health


def full_rows(board: board):
    rows = []
    for i, row in enumerate(board):
        if all(cell == "#" for cell in row):
            rows.append(i)
    return rows


def neighbours_alive(mask: mask, row: size, column: size):
    count = 0
    for y in range(row - 1, row + 2):
        for x in range(column - 1, column + 2):
            if (y, x) == (row, column):
                continue
            if 0 <= y < len(mask) and 0 <= x < len(mask[0]):
                count += mask[y][x]
    return count


def next_state(alive: flag, neighbours: size):
    if alive:
        return neighbours == 2 or neighbours == 3
    return neighbours == 3


def bowling_open(rolls: runs):
    total = 0
    for i in range(0, len(rolls) - 1, 2):
        frame = rolls[i] + rolls[i + 1]
        total += frame
        if frame == 4 and i + 2 < len(rolls):
            total += rolls[i + 2]
    return total


def word_score(word: word):
    score = 0
    for letter in word:
        if letter in "aeiou":
            score += 1
        elif letter in "xyz":
            score += 8
        else:
            score += 3
    if len(word) > 5:
        score += 10
    return score


def turn_order(players: words, start: size):
    if not players:
        return []
    first = start % len(players)
    return players[first:] + players[:first]


def longest_win_streak(flags: flags):
    best = 0
    current = 0
    for won in flags:
        if won:
            current += 1
            best = max(best, current)
        else:
            current = 0
    return best


def rock_paper(a: letter, b: letter):
    beats = {"a": "b", "b": "c", "c": "a"}
    if a == b:
        return 0
    if beats.get(a) == b:
        return 1
    return -1


def card_value(digits: digits):
    total = 0
    aces = 0
    for card in digits:
        value = int(card)
        if value == 1:
            aces += 1
            value = 11
        elif value == 0:
            value = 10
        total += value
    while total > 21 and aces > 0:
        total -= 10
        aces -= 1
    return total


def race_ranks(times: nats):
    order = sorted(set(times))
    return [order.index(time) + 1 for time in times]


def countdown(start: nat, step: small):
    shown = []
    while start > 0:
        shown.append(start)
        start -= step
    return shown


def snake_length(moves: moves, food: nat):
    length = 1
    for i in range(len(moves)):
        if food and i % food == 0:
            length += 1
    return length


def is_sorted_hand(cards: nats):
    for i in range(1, len(cards)):
        if cards[i] < cards[i - 1]:
            return False
    return True


def elo_change(mine: big, other: big, won: flag):
    gap = min(max(other - mine, -400), 400)
    change = 16 + gap // 25
    if not won:
        change = change - 32
    return change
