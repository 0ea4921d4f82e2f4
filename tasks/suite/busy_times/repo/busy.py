"""Free and busy times of a day. Times are hours; a span (start, end) does not include its end."""


def merge(spans):
    """The spans in order, those that overlap or touch made one."""
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            previous_start, previous_end = merged[-1]
            merged[-1] = (previous_start, end)
        else:
            merged.append((start, end))
    return merged


def free(spans, day_start, day_end):
    """What is left of the day."""
    gaps = []
    at = day_start
    for start, end in merge(spans):
        if start > at:
            gaps.append((at, min(start, day_end)))
        at = max(at, end)
    if at < day_end:
        gaps.append((at, day_end))
    return [gap for gap in gaps if gap[0] < gap[1]]


def first_slot(spans, hours, day_start=9, day_end=18):
    """When a meeting of that many hours can begin, or None."""
    for start, end in free(spans, day_start, day_end):
        if end - start >= hours:
            return start
    return None
