from tank import Tank


def test_fill():
    tank = Tank(50)
    tank.fill(70)
    assert tank.level == 50, tank.level


def test_drain():
    tank = Tank(50)
    tank.fill(30)
    tank.drain(10)
    assert tank.level == 20, tank.level
    tank.drain(100)
    assert tank.is_empty()


test_fill()
test_drain()
