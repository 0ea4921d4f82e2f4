"""Keeps rendered thumbnails in memory."""

from collections import OrderedDict


class ThumbnailCache:
    """Holds up to `capacity` thumbnails; the one used longest ago makes room for a new one."""

    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._capacity = capacity
        self._entries = OrderedDict()  # used longest ago first
        self.hits = 0
        self.misses = 0

    def __len__(self):
        return len(self._entries)

    def get(self, name):
        """The thumbnail, or None when it has to be rendered."""
        if name not in self._entries:
            self.misses += 1
            return None
        self.hits += 1
        return self._entries[name]

    def put(self, name, thumbnail):
        self._entries[name] = thumbnail
        self._entries.move_to_end(name)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def forget(self, name):
        self._entries.pop(name, None)
