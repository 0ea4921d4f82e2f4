import unittest

from alarms import AlarmClock


class AlarmClockTest(unittest.TestCase):
    def setUp(self):
        self.clock = AlarmClock()
        self.seen = []

    def test_rings_for_each_room(self):
        self.clock.set_all({"kitchen": 5, "bath": 10})
        self.clock.advance(20)
        self.assertEqual(self.clock.rung, ["kitchen", "bath"])

    def test_calls_in_order_of_time(self):
        self.clock.call_at(7, lambda: self.seen.append("late"))
        self.clock.call_at(3, lambda: self.seen.append("early"))
        self.clock.advance(5)
        self.assertEqual(self.seen, ["early"])
        self.clock.advance(5)
        self.assertEqual(self.seen, ["early", "late"])

    def test_cancel(self):
        handle = self.clock.call_at(1, lambda: self.seen.append("never"))
        self.clock.cancel(handle)
        self.clock.advance(2)
        self.assertEqual(self.seen, [])

    def test_refuses_the_past(self):
        self.clock.advance(10)
        with self.assertRaises(ValueError):
            self.clock.call_at(9, print)
