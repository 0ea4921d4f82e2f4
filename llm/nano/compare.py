"""Compares simulated transcripts with recorded ones, byte for byte.

python3 -m llm.nano.compare plans.jsonl recorded.jsonl
"""

import json
import sys


def first_difference(a, b):
    """Index of the first character that differs."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def main(plans, recorded, shown=5):
    wanted = {}
    for line in open(plans):
        task = json.loads(line)
        wanted[task["id"]] = task["transcript"]
    same = different = 0
    for line in open(recorded):
        episode = json.loads(line)
        real = "".join(segment["text"] for segment in episode["segments"])
        simulated = wanted[episode["id"]]
        if real == simulated:
            same += 1
            continue
        different += 1
        if different <= shown:
            at = max(0, first_difference(real, simulated) - 200)
            print(
                "%s differs:\n--- recorded\n%s\n--- simulated\n%s\n"
                % (episode["id"], real[at : at + 400], simulated[at : at + 400])
            )
    print(
        "%d the same, %d different, %d not recorded"
        % (same, different, len(wanted) - same - different)
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
