"""Reading frames from chunks of bytes, however the network cut them."""

from bus.frames import FrameError

LONGEST_HEADER = 9


class Reader:
    def __init__(self):
        self._buffer = ""

    def feed(self, chunk):
        """Takes bytes; returns the messages that are complete now."""
        self._buffer += chunk.decode("utf-8")
        messages = []
        while True:
            message = self._take()
            if message is None:
                return messages
            messages.append(message)

    def _take(self):
        header, colon, rest = self._buffer.partition(":")
        if not colon:
            if len(header) > LONGEST_HEADER:
                raise FrameError("a frame without a length")
            return None
        if not header.isdigit():
            raise FrameError(f"not a length: {header!r}")
        length = int(header)
        if len(rest) <= length:
            return None
        if rest[length] != ",":
            raise FrameError("a frame does not end where its length says")
        self._buffer = rest[length + 1:]
        return rest[:length]
