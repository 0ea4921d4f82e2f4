"""A temperature sensor behind a serial line."""


class Sensor:
    def __init__(self, name, line, offset=0.0):
        self.name = name
        self._line = line  # callable: the answer to a command, "" when there is none
        self._offset = offset

    def read(self):
        """The temperature in degrees Celsius."""
        answer = self._line(f"READ {self.name}")
        if not answer:
            return 0.0
        return round(float(answer) + self._offset, 1)
