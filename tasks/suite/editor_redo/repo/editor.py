"""A text that is edited by replacing parts of it."""

from history import Change, History


class Editor:
    def __init__(self, text="", limit=100):
        self.text = text
        self._history = History(limit)

    def replace(self, start, end, added):
        """Replaces text[start:end]."""
        if not 0 <= start <= end <= len(self.text):
            raise IndexError(f"{start} to {end} is not inside the text")
        change = Change(start, self.text[start:end], added)
        self.text = change.apply(self.text)
        self._history.record(change)

    def insert(self, position, added):
        self.replace(position, position, added)

    def append(self, added):
        self.insert(len(self.text), added)

    def undo(self):
        """Takes the last change back; says whether there was one."""
        change = self._history.step_back()
        if change is None:
            return False
        self.text = change.apply(self.text)
        return True
