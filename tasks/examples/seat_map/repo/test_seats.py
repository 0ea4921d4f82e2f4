from seats import free_seats, seat_name

assert free_seats([1, 2], 4) == [0, 3]
assert seat_name(0, 4) == "A5", seat_name(0, 4)
assert seat_name(2, 0) == "C1", seat_name(2, 0)
