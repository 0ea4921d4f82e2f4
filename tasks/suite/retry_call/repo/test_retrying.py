import unittest

from retrying import delays, retry


class Flaky:
    """Raises the given errors, one a call, then answers."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


class RetryTest(unittest.TestCase):
    def setUp(self):
        self.slept = []

    def retry(self, call, **options):
        return retry(call, sleep=self.slept.append, **options)

    def test_first_attempt(self):
        self.assertEqual(self.retry(Flaky()), "answer")
        self.assertEqual(self.slept, [])

    def test_last_attempt(self):
        call = Flaky(OSError("down"), OSError("down"))
        self.assertEqual(self.retry(call, attempts=3, first=1), "answer")
        self.assertEqual(self.slept, [1, 2])

    def test_raises_what_the_last_attempt_raised(self):
        call = Flaky(OSError("first"), OSError("second"), OSError("third"))
        with self.assertRaisesRegex(OSError, "third"):
            self.retry(call, attempts=3)
        self.assertEqual(call.calls, 3)

    def test_does_not_wait_after_the_last_attempt(self):
        with self.assertRaises(OSError):
            self.retry(Flaky(OSError(), OSError()), attempts=2, first=1)
        self.assertEqual(self.slept, [1])

    def test_other_errors_come_out_at_once(self):
        call = Flaky(TypeError("wrong argument"))
        with self.assertRaises(TypeError):
            self.retry(call, retry_on=ConnectionError)
        self.assertEqual(call.calls, 1)

    def test_delays(self):
        self.assertEqual(list(delays(5, first=10)), [10, 20, 30, 30])
