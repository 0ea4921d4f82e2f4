"""Turns sizes of folders into rows of a report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    folder: str
    bytes: int
    percent: float


def read_sizes(lines):
    """{folder: bytes} of lines such as "1024<tab>/var"."""
    sizes = {}
    for line in lines:
        size, _, folder = line.rstrip("\n").partition("\t")
        sizes[folder] = int(size)
    return sizes


def make_report(sizes, min_percent=0.0):
    """Rows, the largest first; percentages are of all folders, shown or not."""
    total = sum(sizes.values())
    rows = [Row(folder, size, 100 * size / total if total else 0.0)
            for folder, size in sizes.items()]
    rows.sort(key=lambda row: (-row.bytes, row.folder))
    return [row for row in rows if row.percent >= min_percent]
