"""Several sensors seen as one."""

FROST = 0.5  # degrees Celsius; below it, water may freeze somewhere near the sensor


class Station:
    def __init__(self, sensors):
        self._sensors = list(sensors)

    def readings(self):
        """{name: degrees}."""
        return {sensor.name: sensor.read() for sensor in self._sensors}

    def mean(self):
        """The mean of all sensors; None when there are none."""
        values = self.readings().values()
        return sum(values) / len(values) if values else None

    def frost(self):
        """Whether any sensor is close to freezing."""
        return any(value < FROST for value in self.readings().values())
