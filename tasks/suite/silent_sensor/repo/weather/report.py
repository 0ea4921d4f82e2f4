"""What a station measures, as text."""


def _line(name, value):
    return f"{name}: {value:.1f} °C"


def report(station):
    lines = [_line(name, value) for name, value in sorted(station.readings().items())]
    lines.append(_line("mean", station.mean()))
    if station.frost():
        lines.append("frost!")
    return "\n".join(lines)
