"""Numbers with their units, and the steps of an axis."""

import math

# Grafana's units, as far as panels use them: what a number is divided by, and what is written behind it.
STEPS = {
    "short": [(1, ""), (1e3, " K"), (1e6, " Mil"), (1e9, " Bil")],
    "s": [(1e-6, " µs"), (1e-3, " ms"), (1, " s"), (60, " min"), (3600, " h"), (86400, " d")],
    "bytes": [(1, " B"), (1024, " KiB"), (1024**2, " MiB"), (1024**3, " GiB")],
    "binBps": [(1, " B/s"), (1024, " KiB/s"), (1024**2, " MiB/s"), (1024**3, " GiB/s")],
    "ops": [(1, " /s"), (1e3, "K /s"), (1e6, "M /s")],
    "reqps": [(1, " req/s"), (1e3, "K req/s"), (1e6, "M req/s")],
    "percentunit": [(0.01, " %")],
    "none": [(1, "")],
}


def plain(number, decimals):
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_for(unit, number):
    """Returns the step in which a number of this unit is written."""
    steps = STEPS[unit]
    fitting = [step for step in steps if abs(number) >= step[0] * 0.9999]
    return (
        fitting[-1]
        if fitting and number
        else (next((step for step in steps if step[0] == 1), steps[0]) if not number else steps[0])
    )


def told(unit, number, decimals=None):
    """Returns a number as a person reads it."""
    size, name = unit_for(unit, number)
    number /= size
    if decimals is None:
        magnitude = abs(number)
        decimals = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2
    return plain(number, decimals) + name


def ticks(unit, low, high, most=5):
    """Returns the values at which an axis from `low` to `high` is marked, round ones, and how they are written."""
    if high <= low:
        high = low + 1
    base = 2 if unit in ("bytes", "binBps") else 10
    size, name = unit_for(unit, high)
    span = (high - low) / size
    raw = span / most
    if base == 2:
        step = 2 ** math.ceil(math.log2(raw))
    else:
        power = 10 ** math.floor(math.log10(raw))
        step = next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= raw * 0.9999)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if f"{step:e}".startswith("2.5") else 0)
    first = math.ceil(low / size / step - 1e-9)
    marks = [(first + index) * step for index in range(int(span / step + 1e-9) + 1)]
    return [(mark * size, plain(mark, decimals) + name if mark else "0") for mark in marks]


def top(unit, high):
    """Returns the end of an axis whose largest value is `high`: a round one, with a little air."""
    if high <= 0:
        return STEPS[unit][0][0] if unit == "percentunit" else 1
    marks = ticks(unit, 0, high * 1.05)
    step = marks[1][0] - marks[0][0] if len(marks) > 1 else high
    return math.ceil(high * 1.02 / step - 1e-9) * step
