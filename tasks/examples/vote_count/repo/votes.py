def count_votes(ballots):
    counts = {}
    for name in ballots:
        if not name:
            continue
        if name in counts:
            counts[name] = 1
        else:
            counts[name] = 1
    return counts


def winner(counts):
    return max(sorted(counts), key=lambda name: counts[name])
