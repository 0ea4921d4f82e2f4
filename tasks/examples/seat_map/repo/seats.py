LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def seat_name(row, column):
    letter = LETTERS[row + 1]
    return letter + str(column + 1)


def free_seats(taken, columns):
    return [c for c in range(columns) if c not in taken]
