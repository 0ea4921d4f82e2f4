"""Which tables the exported files of a folder become."""

import re
from pathlib import Path

SUFFIX = ".csv"


def table_name(path):
    """The table of a file: its name without folder and suffix, in lower case."""
    name = Path(path).name.lower()
    if not name.endswith(SUFFIX):
        raise ValueError(f"{path} is not a {SUFFIX} file")
    name = name.rstrip(SUFFIX)
    return re.sub(r"[^a-z0-9]+", "_", name)


def plan_import(paths):
    """{table: path} of all files. Two files of one table are a mistake."""
    plan = {}
    for path in sorted(paths):
        table = table_name(path)
        if table in plan:
            raise ValueError(f"{plan[table]} and {path} are both table {table}")
        plan[table] = path
    return plan


def describe(plan):
    """One line for each table, for the log."""
    width = max(map(len, plan), default=0)
    return [f"{table:<{width}} <- {path}" for table, path in plan.items()]
