"""Times, dates and calendars."""
from __future__ import annotations


def is_leap(year: year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: year, month: month):
    if month == 2:
        if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
            return 29
        return 28
    if month in (4, 6, 9, 11):
        return 30
    return 31


def day_of_year(month: month, day: day):
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    total = day
    for i in range(month - 1):
        total += lengths[i]
    return total


def minutes_of(time: time):
    hours, minutes = time.split(':')
    return int(hours) * 60 + int(minutes)


def format_minutes(total: big):
    hours = total // 60
    minutes = total % 60
    return f'{hours:02d}:{minutes:02d}'


def format_seconds(seconds: seconds):
    hours = seconds // 3600
    minutes = seconds % 3600 // 60
    rest = seconds % 60
    if hours > 0:
        return f'{hours}h {minutes}m'
    if minutes > 0:
        return f'{minutes}m {rest}s'
    return f'{rest}s'


def minutes_between(start: time, end: time):
    a = int(start[:2]) * 60 + int(start[3:])
    b = int(end[:2]) * 60 + int(end[3:])
    if b < a:
        b += 24 * 60
    return b - a


def to_twelve(hour: hour):
    suffix = 'am'
    if hour >= 12:
        suffix = 'pm'
    hour = hour % 12
    if hour == 0:
        hour = 12
    return str(hour) + suffix


def part_of_day(hour: hour):
    if hour < 6:
        return 'night'
    if hour < 12:
        return 'morning'
    if hour < 18:
        return 'afternoon'
    return 'evening'


def is_open(hour: hour, weekday: month):
    if weekday % 7 == 0:
        return False
    if weekday % 7 == 6:
        return 10 <= hour < 16
    return 8 <= hour < 18


def quarter(month: month):
    return (month - 1) // 3 + 1


def next_day(year: year, month: month, day: day):
    last = 30
    if month in (1, 3, 5, 7, 8, 10, 12):
        last = 31
    if day < last:
        return year, month, day + 1
    if month < 12:
        return year, month + 1, 1
    return year + 1, 1, 1


def age_in_year(birth: year, now: year, had_birthday: flag):
    age = now - birth
    if not had_birthday:
        age -= 1
    return max(age, 0)


def parse_date(text: version):
    parts = text.split('.')
    day = int(parts[0])
    month = int(parts[1])
    if day < 1 or month < 1 or month > 12:
        return None
    return month, day


def add_minutes(time: time, minutes: big):
    total = int(time[:2]) * 60 + int(time[3:]) + minutes
    total = total % (24 * 60)
    return f'{total // 60:02d}:{total % 60:02d}'


def weekday_name(index: int_):
    names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
    return names[index % 7]


def working_days(start: nat, length: nat):
    count = 0
    for day in range(start, start + length):
        if day % 7 not in (5, 6):
            count += 1
    return count


def century(year: year):
    return (year + 99) // 100


def season(month: month):
    if month in (12, 1, 2):
        return 'winter'
    if month <= 5:
        return 'spring'
    if month <= 8:
        return 'summer'
    return 'autumn'


def overtime(start: hour, end: hour, normal: pos):
    worked = end - start
    if worked < 0:
        worked += 24
    return max(0, worked - normal)


def due_day(day: day, grace: nat, month_length: day):
    due = day + grace
    if due > month_length:
        due -= month_length
    return due


def is_valid_time(hour: int_, minute: int_):
    return 0 <= hour < 24 and 0 <= minute < 60


def earlier(a: time, b: time):
    first = int(a[:2]) * 60 + int(a[3:])
    second = int(b[:2]) * 60 + int(b[3:])
    if first <= second:
        return a
    return b


def countdown(seconds: nat):
    steps = []
    while seconds > 0:
        steps.append(seconds)
        seconds -= 1
    steps.append(0)
    return steps


def round_quarter(minutes: minute):
    rest = minutes % 15
    if rest >= 8:
        return minutes + 15 - rest
    return minutes - rest


def clock_angle(hour: hour, minute: minute):
    long_hand = minute * 6
    short_hand = hour % 12 * 30 + minute // 2
    angle = abs(long_hand - short_hand)
    return min(angle, 360 - angle)
