"""Durations as people read them."""

UNITS = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)]


def elapsed(seconds):
    """The two largest units of a duration: 3661 -> "1h 1m". Below a minute: "42s"."""
    if seconds < 0:
        raise ValueError("a duration cannot be negative")
    if seconds < 60:
        return f"{int(seconds)}s"
    for index, (_, size) in enumerate(UNITS):
        if seconds > size:
            return _two_units(int(seconds), UNITS[index:index + 2])


def _two_units(seconds, units):
    parts = []
    for letter, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{letter}")
    return " ".join(parts)


def summary(durations):
    """One line about several builds."""
    if not durations:
        return "no builds"
    mean = sum(durations) / len(durations)
    return f"{len(durations)} builds, {elapsed(mean)} each, {elapsed(max(durations))} at most"
