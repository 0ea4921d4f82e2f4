#!/usr/bin/env python3
"""The GitHub Actions bot against a server that stands in for GitHub's API.

Usage: github_test.py --list
       github_test.py BUILD_DIR SOURCE_DIR [TEST...]
"""

import pathlib
import sys
import time

sys.dont_write_bytecode = True  # beside the sources

import faults
import publishing
import refusals
import runs
import workflow
from bot import TESTS, Bot, Failure

assert faults and publishing and refusals and runs and workflow  # they have the tests


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(function.__name__ for function in TESTS))
        return 0
    Bot.build, Bot.source = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    wanted = sys.argv[3:]
    failed = 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        begin = time.monotonic()
        try:
            function()
            print(f"passed: {function.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED: {function.__name__}: {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
