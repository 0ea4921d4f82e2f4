"""Calling something again that may fail for a moment."""

import time


def delays(attempts, first=0.5, factor=2.0, longest=30.0):
    """The seconds to wait after each failed attempt but the last."""
    delay = first
    for _ in range(attempts - 1):
        yield min(delay, longest)
        delay *= factor


def retry(call, attempts=3, retry_on=OSError, sleep=time.sleep, **backoff):
    """The result of call(), which may fail with `retry_on` in all but one of the attempts."""
    if attempts < 1:
        raise ValueError("at least one attempt is needed")
    for delay in delays(attempts + 1, **backoff):
        try:
            return call()
        except Exception:
            sleep(delay)
