"""Alarms on a clock that is moved by hand, for tests and simulations."""

import heapq
import itertools


class AlarmClock:
    def __init__(self):
        self.now = 0
        self.rung = []
        self._pending = []
        self._order = itertools.count()

    def call_at(self, time, action):
        """Calls action() once the clock has reached `time`; returns a handle for `cancel`."""
        if time < self.now:
            raise ValueError(f"{time} has passed; it is {self.now}")
        entry = [time, next(self._order), action]
        heapq.heappush(self._pending, entry)
        return entry

    def cancel(self, entry):
        entry[2] = None

    def set_all(self, rooms):
        """Sets an alarm for every room: {room: minutes from now}."""
        for room, minutes in rooms.items():
            self.call_at(self.now + minutes, lambda: self.rung.append(room))

    def advance(self, minutes):
        """Moves the clock; what is due is called in the order of its times."""
        end = self.now + minutes
        while self._pending and self._pending[0][0] <= end:
            self.now, _, action = heapq.heappop(self._pending)
            if action is not None:
                action()
        self.now = end
