"""Matrices, boards, points and intervals."""
from __future__ import annotations


def transpose(grid: grid):
    result = []
    for c in range(len(grid[0])):
        row = []
        for r in range(len(grid)):
            row.append(grid[r][c])
        result.append(row)
    return result


def row_sums(grid: grid):
    return [sum(row) for row in grid]


def column_max(grid: grid):
    best = list(grid[0])
    for row in grid[1:]:
        for i, value in enumerate(row):
            if value > best[i]:
                best[i] = value
    return best


def diagonal(square: square):
    total = 0
    for i in range(len(square)):
        total += square[i][i]
    return total


def anti_diagonal(square: square):
    values = []
    for i in range(len(square)):
        values.append(square[i][len(square) - 1 - i])
    return values


def count_neighbors(mask: mask, row: size, col: size):
    count = 0
    for r in range(row - 1, row + 2):
        for c in range(col - 1, col + 2):
            if r == row and c == col:
                continue
            if 0 <= r < len(mask) and 0 <= c < len(mask[0]):
                count += mask[r][c]
    return count


def flip_rows(grid: grid):
    return [row[::-1] for row in grid]


def rotate_right(grid: grid):
    rotated = []
    for c in range(len(grid[0])):
        rotated.append([grid[r][c] for r in range(len(grid) - 1, -1, -1)])
    return rotated


def border_sum(grid: grid):
    total = 0
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            if r == 0 or c == 0 or r == len(grid) - 1 or c == len(row) - 1:
                total += value
    return total


def find_cell(grid: grid, wanted: nat):
    for r in range(len(grid)):
        for c in range(len(grid[r])):
            if grid[r][c] == wanted:
                return r, c
    return -1, -1


def free_cells(board: board):
    free = 0
    for row in board:
        for cell in row:
            if cell == '.':
                free += 1
    return free


def longest_wall(board: board):
    best = 0
    for row in board:
        current = 0
        for cell in row:
            if cell == '#':
                current += 1
                best = max(best, current)
            else:
                current = 0
    return best


def is_symmetric(square: square):
    for r in range(len(square)):
        for c in range(r):
            if square[r][c] != square[c][r]:
                return False
    return True


def multiply_scalar(grid: grid, factor: small):
    return [[value * factor for value in row] for row in grid]


def add_grids(a: square, b: square):
    size = min(len(a), len(b))
    result = []
    for r in range(size):
        row = []
        for c in range(size):
            row.append(a[r][c] + b[r][c])
        result.append(row)
    return result


def spiral_first(grid: grid):
    ring = list(grid[0])
    for row in grid[1:]:
        ring.append(row[-1])
    if len(grid) > 1:
        ring.extend(reversed(grid[-1][:-1]))
    return ring


def walk(moves: moves):
    x = 0
    y = 0
    for move in moves:
        if move == 'U':
            y += 1
        elif move == 'D':
            y -= 1
        elif move == 'L':
            x -= 1
        else:
            x += 1
    return x, y


def visited_cells(moves: moves):
    position = (0, 0)
    seen = {position}
    steps = {'U': (0, 1), 'D': (0, -1), 'L': (-1, 0), 'R': (1, 0)}
    for move in moves:
        dx, dy = steps[move]
        position = (position[0] + dx, position[1] + dy)
        seen.add(position)
    return len(seen)


def overlaps(a: span, b: span):
    return a[0] < b[1] and b[0] < a[1]


def intersection(a: span, b: span):
    start = max(a[0], b[0])
    end = min(a[1], b[1])
    if start > end:
        return None
    return start, end


def merge_intervals(spans: intervals):
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def covered_length(spans: intervals):
    total = 0
    reach = 0
    for start, end in sorted(spans):
        start = max(start, reach)
        if end > start:
            total += end - start
            reach = end
    return total


def gaps(spans: intervals):
    found = []
    ordered = sorted(spans)
    for previous, current in zip(ordered, ordered[1:]):
        if current[0] > previous[1]:
            found.append((previous[1], current[0]))
    return found


def busiest(spans: intervals, limit: nat):
    best = 0
    for hour in range(limit):
        count = 0
        for start, end in spans:
            if start <= hour < end:
                count += 1
        best = max(best, count)
    return best


def free_at(spans: intervals, hour: nat):
    for start, end in spans:
        if start <= hour < end:
            return False
    return True


def bounding_box(points: points):
    xs = [p[0] for p in points]
    ys = [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def closest_to_origin(points: points):
    best = points[0]
    for point in points:
        if abs(point[0]) + abs(point[1]) < abs(best[0]) + abs(best[1]):
            best = point
    return best


def in_quadrant(points: points):
    count = 0
    for x, y in points:
        if x > 0 and y > 0:
            count += 1
    return count


def path_length(points: points):
    total = 0
    for i in range(1, len(points)):
        total += abs(points[i][0] - points[i - 1][0])
        total += abs(points[i][1] - points[i - 1][1])
    return total


def rectangle_area(a: point, b: point):
    width = abs(a[0] - b[0])
    height = abs(a[1] - b[1])
    return width * height


def inside(point: point, low: point, high: point):
    return low[0] <= point[0] <= high[0] and low[1] <= point[1] <= high[1]


def render_row(mask: flags):
    text = ''
    for on in mask:
        text += '#' if on else '.'
    return text


def drop_piece(board: mask, column: size):
    column = column % len(board[0])
    row = -1
    for r in range(len(board)):
        if board[r][column] != 0:
            break
        row = r
    return row


def winner(row: runs):
    for i in range(len(row) - 2):
        if row[i] == row[i + 1] == row[i + 2]:
            return row[i]
    return 0


def count_islands_row(row: flags):
    islands = 0
    previous = False
    for cell in row:
        if cell and not previous:
            islands += 1
        previous = cell
    return islands
