import unittest

from weather.report import report
from weather.sensor import Sensor
from weather.station import Station


def station(**answers):
    """A station whose sensors give these answers; "" is none."""
    return Station(Sensor(name, lambda _, answer=answer: answer)
                   for name, answer in answers.items())


class SensorTest(unittest.TestCase):
    def test_reading(self):
        self.assertEqual(Sensor("roof", lambda command: "4.25", offset=-1).read(), 3.2)

    def test_asks_by_name(self):
        asked = []
        Sensor("roof", lambda command: asked.append(command) or "1").read()
        self.assertEqual(asked, ["READ roof"])

    def test_no_answer(self):
        self.assertIsNone(Sensor("roof", lambda command: "", offset=2).read())


class StationTest(unittest.TestCase):
    def test_all_answer(self):
        self.assertEqual(report(station(roof="4", cellar="12")),
                         "cellar: 12.0 °C\nroof: 4.0 °C\nmean: 8.0 °C")

    def test_frost(self):
        self.assertTrue(station(roof="0.0", cellar="12").frost())
        self.assertFalse(station(roof="0.5").frost())

    def test_silent_sensor_is_left_out(self):
        self.assertEqual(station(roof="4", cellar="").mean(), 4.0)
        self.assertFalse(station(roof="4", cellar="").frost())

    def test_silent_sensor_is_reported(self):
        self.assertEqual(report(station(roof="0.0", cellar="")),
                         "cellar: no reading\nroof: 0.0 °C\nmean: 0.0 °C\nfrost!")

    def test_all_silent(self):
        self.assertIsNone(station(roof="").mean())
        self.assertEqual(report(station(roof="")), "roof: no reading\nmean: no reading")
