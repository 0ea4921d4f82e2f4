"""Episodes in bulk: shards of simulated transcripts."""

import gzip
import json
import os
import random
import time

from . import episode, pool


def is_easy(task):
    """Whether one line in place of another repairs it."""
    bug = task.bug
    return bug["old"] is not None and "\n" not in bug["old"] + bug["new"]


def episodes(split, seed, count, short_share=0.3, easy_share=1.0):
    """Dictionaries of `count` episodes; the same seed gives the same episodes. Of the tasks that
    one line repairs, which most are, only easy_share is used."""
    families = pool.Pool(split)
    made = number = 0
    while made < count:
        number += 1
        rng = random.Random("%s episode %s %s" % (split, seed, number))
        task = pool.make_task(families, "%s.%s" % (seed, number))
        if rng.random() >= easy_share and is_easy(task):
            continue
        shape = "short" if rng.random() < short_share else "full"
        played = episode.play(task, rng, shape == "full")
        if played is None:
            continue
        made += 1
        yield {
            "id": task.id,
            "shape": shape,
            "family": task.family,
            "kind": task.kind,
            "lang": task.lang,
            "tries": played.tries,
            "segments": played.segments,
        }


def write_shard(path, split, seed, count, short_share=0.3, easy_share=1.0):
    """Writes one gzip shard; it appears under its name only when complete."""
    started = time.time()
    with gzip.open(path + ".tmp", "wt", compresslevel=3) as out:
        for one in episodes(split, seed, count, short_share, easy_share):
            out.write(json.dumps(one, ensure_ascii=False) + "\n")
    os.replace(path + ".tmp", path)
    return time.time() - started
