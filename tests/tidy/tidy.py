#!/usr/bin/env python3
"""Holds the house rules that a compiler does not: who may include whom, line and file lengths.

Usage: tidy.py SOURCE_DIR. Prints one line for each breach and exits 1 when there is any.
"""

import pathlib
import re
import sys

# Room -> rooms whose headers it may include besides its own. The two chains, kernels -> llm and
# sandbox -> tools, meet only in agent.
MAY_INCLUDE = {
    "kernels": set(),
    "llm": {"kernels"},
    "sandbox": set(),
    "tools": {"sandbox"},
    "agent": {"llm", "tools", "sandbox"},
    "tasks": {"agent", "sandbox", "llm", "tools"},
    "tests": {"kernels", "llm", "sandbox", "tools", "agent", "tasks"},
}
# Libraries the engine may not need, so that it builds alone on a GPU machine.
ENGINE_MUST_NOT_INCLUDE = re.compile(r'[<"](boost|git2|tree_sitter|seccomp|catch2)')
MAX_COLUMNS = 100
MAX_LINES = 600
INCLUDE = re.compile(r'^\s*#\s*include\s*"([a-z_]+)/')


def check_file(root, path):
    room = path.relative_to(root).parts[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    where = path.relative_to(root)
    if len(lines) > MAX_LINES:
        yield f"{where}: {len(lines)} lines; split it by subject (at most {MAX_LINES})"
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS and path.suffix != ".py":
            yield f"{where}:{number}: {len(line)} columns (at most {MAX_COLUMNS})"
        if path.suffix == ".py":
            continue
        match = INCLUDE.match(line)
        if match and match[1] in MAY_INCLUDE and match[1] != room:
            if match[1] not in MAY_INCLUDE[room]:
                yield f"{where}:{number}: {room}/ may not include {match[1]}/"
        if room in ("kernels", "llm") and "#include" in line and ENGINE_MUST_NOT_INCLUDE.search(line):
            yield f"{where}:{number}: the engine builds without that library"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = [p for room in MAY_INCLUDE for p in sorted((root / room).rglob("*"))
             if p.suffix in (".h", ".cc", ".cu", ".cuh", ".py") and "fixtures" not in p.parts]
    breaches = [b for path in files for b in check_file(root, path)]
    print("\n".join(breaches) or f"{len(files)} files keep the house rules")
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
