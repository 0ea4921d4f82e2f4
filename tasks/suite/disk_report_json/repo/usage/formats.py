"""A report as text."""


def human(size):
    """1536 -> "1.5K"."""
    for unit in ["", "K", "M", "G"]:
        if size < 1024:
            return f"{size:.1f}{unit}" if unit else str(size)
        size /= 1024
    return f"{size:.1f}T"


def as_table(rows):
    width = max((len(row.folder) for row in rows), default=0)
    return "".join(f"{row.folder:<{width}}  {human(row.bytes):>7}  {row.percent:5.1f}%\n"
                   for row in rows)
