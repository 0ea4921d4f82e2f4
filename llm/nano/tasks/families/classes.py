"""Small classes with state."""
from __future__ import annotations


class Stack:
    def __init__(self, limit: pos):
        self.limit = limit
        self.items = []

    def push(self, value: nat):
        if len(self.items) >= self.limit:
            return False
        self.items.append(value)
        return True

    def pop(self):
        if not self.items:
            return None
        return self.items.pop()

    def peek(self):
        return self.items[-1] if self.items else 0


class Counter:
    def __init__(self, start: nat, step: small):
        self.value = start
        self.step = step

    def up(self):
        self.value += self.step
        return self.value

    def down(self):
        self.value -= self.step
        if self.value < 0:
            self.value = 0
        return self.value

    def reset(self, value: nat):
        self.value = value
        return self.value


class Account:
    def __init__(self, balance: cents):
        self.balance = balance
        self.history = []

    def deposit(self, amount: nat):
        if amount <= 0:
            return False
        self.balance += amount
        self.history.append(amount)
        return True

    def withdraw(self, amount: big):
        if amount > self.balance:
            return False
        self.balance -= amount
        self.history.append(-amount)
        return True

    def total(self):
        return self.balance

    def moves(self):
        return list(self.history)


class Queue:
    def __init__(self):
        self.waiting = []
        self.served = 0

    def join(self, name: word):
        if name not in self.waiting:
            self.waiting.append(name)
        return len(self.waiting)

    def serve(self):
        if not self.waiting:
            return ''
        self.served += 1
        return self.waiting.pop(0)

    def position(self, name: word):
        for i, other in enumerate(self.waiting):
            if other == name:
                return i + 1
        return 0


class Inventory:
    def __init__(self, minimum: small):
        self.minimum = minimum
        self.stock = {}

    def add(self, name: letter, amount: nat):
        self.stock[name] = self.stock.get(name, 0) + amount
        return self.stock[name]

    def take(self, name: letter, amount: nat):
        left = self.stock.get(name, 0)
        if amount > left:
            return False
        self.stock[name] = left - amount
        return True

    def low(self):
        return sorted(n for n in self.stock if self.stock[n] < self.minimum)


class Thermostat:
    def __init__(self, target: nat, margin: small):
        self.target = target
        self.margin = margin
        self.heating = False

    def read(self, degrees: nat):
        if degrees < self.target - self.margin:
            self.heating = True
        elif degrees > self.target + self.margin:
            self.heating = False
        return self.heating

    def warmer(self, change: small):
        self.target += change
        return self.target


class Turtle:
    def __init__(self):
        self.x = 0
        self.y = 0
        self.heading = 0

    def turn(self, quarters: small):
        self.heading = (self.heading + quarters) % 4
        return self.heading

    def forward(self, steps: nat):
        if self.heading == 0:
            self.y += steps
        elif self.heading == 1:
            self.x += steps
        elif self.heading == 2:
            self.y -= steps
        else:
            self.x -= steps
        return (self.x, self.y)


class Average:
    def __init__(self, window: small):
        self.window = window
        self.values = []

    def add(self, value: nat):
        self.values.append(value)
        if len(self.values) > self.window:
            self.values.pop(0)
        return sum(self.values) // len(self.values)

    def largest(self):
        return max(self.values) if self.values else 0


class Door:
    def __init__(self, code: nat):
        self.code = code
        self.state = 'closed'
        self.tries = 0

    def unlock(self, code: nat):
        if self.tries >= 3:
            return 'blocked'
        if code != self.code:
            self.tries += 1
            return 'wrong'
        self.tries = 0
        self.state = 'open'
        return 'ok'

    def close(self):
        if self.state == 'open':
            self.state = 'closed'
            return True
        return False


class RingBuffer:
    def __init__(self, size: pos):
        self.data = [0] * size
        self.next = 0
        self.count = 0

    def put(self, value: nat):
        self.data[self.next] = value
        self.next = (self.next + 1) % len(self.data)
        if self.count < len(self.data):
            self.count += 1
        return self.count

    def newest(self):
        return self.data[self.next - 1]


class Scoreboard:
    def __init__(self):
        self.points = {}

    def score(self, name: letter, points: nat):
        if points > 0:
            self.points[name] = self.points.get(name, 0) + points
        return self.points.get(name, 0)

    def leader(self):
        best = ''
        for name in sorted(self.points):
            if best == '' or self.points[name] > self.points[best]:
                best = name
        return best

    def ranking(self):
        return sorted(self.points, key=lambda name: (-self.points[name], name))


class Elevator:
    def __init__(self, top: pos):
        self.top = top
        self.floor = 0
        self.stops = []

    def call(self, floor: nat):
        if floor < 0 or floor > self.top:
            return False
        if floor not in self.stops:
            self.stops.append(floor)
        return True

    def move(self):
        if not self.stops:
            return self.floor
        target = self.stops[0]
        if self.floor < target:
            self.floor += 1
        elif self.floor > target:
            self.floor -= 1
        if self.floor == target:
            self.stops.pop(0)
        return self.floor


class Cart:
    def __init__(self, free_from: big):
        self.free_from = free_from
        self.lines = []

    def add(self, price: pos, quantity: small):
        self.lines.append((price, quantity))
        return len(self.lines)

    def subtotal(self):
        total = 0
        for price, quantity in self.lines:
            total += price * quantity
        return total

    def total(self):
        total = self.subtotal()
        if total >= self.free_from:
            return total
        return total + 5


class Cache:
    def __init__(self, size: small):
        self.size = size
        self.keys = []
        self.data = {}

    def put(self, key: letter, value: nat):
        if key in self.data:
            self.keys.remove(key)
        elif len(self.keys) == self.size:
            oldest = self.keys.pop(0)
            del self.data[oldest]
        self.keys.append(key)
        self.data[key] = value
        return len(self.keys)

    def get(self, key: letter):
        return self.data.get(key, -1)


class Range:
    def __init__(self, low: nat, high: pos):
        self.low = min(low, high)
        self.high = max(low, high)

    def contains(self, value: nat):
        return self.low <= value < self.high

    def width(self):
        return self.high - self.low

    def overlap(self, low: nat, high: nat):
        start = max(self.low, low)
        end = min(self.high, high)
        return max(0, end - start)


class Tank:
    def __init__(self, capacity: pos):
        self.capacity = capacity
        self.level = 0
        self.spilled = 0

    def fill(self, amount: nat):
        self.level += amount
        if self.level > self.capacity:
            self.spilled += self.level - self.capacity
            self.level = self.capacity
        return self.level

    def drain(self, amount: nat):
        used = min(amount, self.level)
        self.level -= used
        return used

    def lost(self):
        return self.spilled


class Traffic:
    def __init__(self, green: small, red: small):
        self.green = green
        self.red = red
        self.time = 0

    def tick(self, seconds: small):
        self.time = (self.time + seconds) % (self.green + self.red)
        return self.light()

    def light(self):
        if self.time < self.green:
            return 'green'
        return 'red'


class Playlist:
    def __init__(self):
        self.songs = []
        self.current = 0

    def add(self, song: letter):
        self.songs.append(song)
        return len(self.songs)

    def skip(self):
        if not self.songs:
            return ''
        self.current += 1
        if self.current >= len(self.songs):
            self.current = 0
        return self.songs[self.current]

    def playing(self):
        return self.songs[self.current] if self.songs else ''


class Budget:
    def __init__(self, limit: big):
        self.limit = limit
        self.spent = {}

    def spend(self, label: letter, amount: nat):
        if sum(self.spent.values()) + amount > self.limit:
            return False
        self.spent[label] = self.spent.get(label, 0) + amount
        return True

    def left(self):
        return self.limit - sum(self.spent.values())

    def biggest(self):
        return max(self.spent.values()) if self.spent else 0


class Dice:
    def __init__(self, seed: nat):
        self.state = seed
        self.rolls = 0

    def roll(self):
        self.state = (self.state * 5 + 3) % 16
        self.rolls += 1
        return self.state % 6 + 1

    def count(self):
        return self.rolls


class Lift:
    def __init__(self, limit: big):
        self.limit = limit
        self.load = []

    def enter(self, weight: pos):
        if sum(self.load) + weight <= self.limit and len(self.load) < 4:
            self.load.append(weight)
            return True
        return False

    def leave(self):
        if self.load:
            self.load.pop()
        return len(self.load)
