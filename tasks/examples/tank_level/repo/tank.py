class Tank:
    def __init__(self, capacity):
        self.capacity = capacity
        self.level = 0

    def fill(self, amount):
        self.level = min(self.level + amount, self.capacity)

    def drain(self, amount):
        self.level = max(self.level + amount, 0)

    def is_empty(self):
        return self.level == 0
