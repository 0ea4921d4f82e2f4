"""Changes of a text that can be taken back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """At `position`, `removed` was replaced by `added`."""
    position: int
    removed: str
    added: str

    def apply(self, text):
        end = self.position + len(self.removed)
        return text[:self.position] + self.added + text[end:]

    def inverse(self):
        return Change(self.position, self.added, self.removed)


class History:
    def __init__(self, limit):
        self._limit = limit
        self._done = []

    def record(self, change):
        """A new change; the oldest one may be forgotten."""
        self._done.append(change)
        del self._done[:-self._limit]

    def step_back(self):
        """The change that takes the last one back, or None."""
        if not self._done:
            return None
        return self._done.pop().inverse()
