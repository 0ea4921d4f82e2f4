DAY_MAXIMUM = 20


def fee(hours):
    """What a stay of `hours` begun hours costs."""
    if hours <= 0:
        return 0
    total = 3 + 2 * (hours - 1)
    return max(total, DAY_MAXIMUM)
