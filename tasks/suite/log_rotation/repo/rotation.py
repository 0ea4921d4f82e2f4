"""Rotates log files: app.log becomes app.log.1, that becomes app.log.2, and so on."""

import re
import shutil
from pathlib import Path


def rotated(log):
    """{number: path} of the rotated files beside `log`."""
    log = Path(log)
    found = {}
    for path in log.parent.iterdir():
        match = re.fullmatch(re.escape(log.name) + r"\.([1-9]\d*)", path.name)
        if match:
            found[int(match[1])] = path
    return found


def rotate(log, keep=5):
    """Makes room for an empty `log` and keeps the last `keep` ones."""
    log = Path(log)
    if keep < 1:
        raise ValueError("at least one rotated file must be kept")
    if not log.exists():
        return
    for number, path in sorted(rotated(log).items()):
        if number < keep:
            shutil.copyfile(path, f"{log}.{number + 1}")
    shutil.copyfile(log, f"{log}.1")
    log.write_bytes(b"")  # emptied in place: the writer has it open


def rotate_if_large(log, limit, keep=5):
    """Rotates once the log has reached `limit` bytes; says whether it did."""
    log = Path(log)
    if not log.exists() or log.stat().st_size < limit:
        return False
    rotate(log, keep)
    return True
