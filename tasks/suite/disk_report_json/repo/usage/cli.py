"""The command line: python3 -m usage [OPTION]... FILE"""

import argparse

from usage.formats import as_table
from usage.report import make_report, read_sizes


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="usage", description="Which folders take the space.")
    parser.add_argument("file", help="lines of bytes and folder, as `du -b` prints them")
    parser.add_argument("--min-percent", type=float, default=0.0, metavar="P",
                        help="leave out folders below P percent")
    return parser.parse_args(arguments)


def main(arguments, out):
    options = parse_arguments(arguments)
    with open(options.file, encoding="utf-8") as file:
        rows = make_report(read_sizes(file), options.min_percent)
    out.write(as_table(rows))
    return 0
