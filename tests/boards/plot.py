"""The plots inside of panels: lines over time, stacked or not, a distribution over time, a spark."""

from html import escape
from math import isfinite

from scale import ticks, told, top

HEAD = 34
FOOT = 16
LETTER = 6.3
LEGEND_LINE = 15
COLD, HOT = (0x3D, 0x8B, 0xFD), (0xE0, 0x31, 0x31)


def frame(place, marks, span, foot):
    """Returns the grid with its marks, and where the plot is: x, y, width, height."""
    left = 14 + LETTER * max(len(name) for _, name in marks)
    width, height = place[0] - left - 12, place[1] - HEAD - FOOT - foot
    low, high = marks[0][0], marks[-1][0]
    parts = []
    for value, name in marks:
        y = HEAD + height * (1 - (value - low) / (high - low))
        parts.append(f'<path class="grid" d="M{left:.0f} {y:.1f}h{width:.0f}"/>')
        parts.append(
            f'<text class="axis" x="{left - 5:.0f}" y="{y + 3.5:.1f}" text-anchor="end">{escape(name)}</text>'
        )
    begin, end = span
    step = next(step for step in (5, 10, 15, 30, 60, 120, 300, 600) if (end - begin) / step <= max(2, width / 48))
    for at in range(0, int(end - begin) + 1, step):
        x = left + width * at / (end - begin)
        parts.append(
            f'<text class="axis" x="{x:.1f}" y="{HEAD + height + 13:.1f}" text-anchor="middle">{at // 60}:{at % 60:02}</text>'
        )
    return parts, (left, HEAD, width, height)


def legend(series, place):
    """Returns the names of the series under the plot, and how high that is."""
    parts, x, line, shown = [], 12, 0, 0
    for name, color, _ in series:
        wide = 17 + LETTER * len(name) + 8
        if x + wide > place[0] - (66 if line == 1 else 0) and x > 12:
            if line == 1:
                parts.append((x, line, f"+{len(series) - shown} more", None))
                break
            x, line = 12, 1
        parts.append((x, line, name, color))
        x, shown = x + wide, shown + 1
    height = (line + 1) * LEGEND_LINE + 2
    drawn = []
    for x, at, name, color in parts:
        y = place[1] - height + at * LEGEND_LINE + 8
        if color:
            drawn.append(f'<rect x="{x:.0f}" y="{y - 5:.0f}" width="12" height="4" rx="1" fill="{color}"/>')
        drawn.append(f'<text x="{x + (17 if color else 0):.0f}" y="{y + 1:.0f}">{escape(name)}</text>')
    return drawn, height


def lines(panel, series, place, span):
    """Lines over time, with the thresholds of the panel where they are in sight."""
    defaults = panel["fieldConfig"]["defaults"]
    unit, stacked = defaults["unit"], defaults["custom"]["stacking"]["mode"] == "normal"
    if stacked:
        series = piled(series)
    names, foot = legend([(name, color, None) for name, color, *_ in series], place)
    tops = [value for _, _, samples, *_ in series for _, value in samples if isfinite(value)]
    high = defaults.get("max") or top(unit, max(tops, default=0))
    low = defaults.get("min", min([0, *tops]))
    marks = ticks(unit, low, high, most=max(2, int((place[1] - HEAD - FOOT - foot) / 26)))
    if marks[-1][0] < high * 0.999:
        marks.append((high, ""))
    parts, box = frame(place, marks, span, foot)
    scale = ((low, marks[-1][0]), span, box)
    for step in defaults["thresholds"]["steps"][1:]:
        if low < step["value"] < high:
            y = point(0, step["value"], scale)[1]
            parts.append(
                f'<path d="M{box[0]:.0f} {y:.1f}h{box[2]:.0f}" stroke="{THRESHOLDS[step["color"]]}" '
                'stroke-dasharray="5 4" opacity=".75"/>'
            )
    drawn = reversed(series) if stacked else series
    for name, color, samples, *below in drawn:
        for run in runs(samples):
            path = "L".join("{:.1f} {:.1f}".format(*point(at, value, scale)) for at, value in run)
            floor = below[0] if below else {}
            base = "L".join("{:.1f} {:.1f}".format(*point(at, floor.get(at, low), scale)) for at, _ in reversed(run))
            opacity = ".45" if stacked else ".05"
            # Under many lines there would be nothing but fog.
            if stacked or len(series) <= 4:
                parts.append(f'<path d="M{path}L{base}Z" fill="{color}" opacity="{opacity}"/>')
            parts.append(
                f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="1.5" stroke-linejoin="round"/>'
            )
    return parts + names


THRESHOLDS = {"yellow": "#d69e00", "orange": "#e8710a", "red": "#e03131"}


def piled(series):
    """Puts each series upon the one before; a sample that is missing counts as nothing."""
    floor, piles = {}, []
    for name, color, samples in series:
        pile = [(at, floor.get(at, 0) + (value if isfinite(value) else 0)) for at, value in samples]
        piles.append((name, color, pile, dict(floor)))
        floor |= dict(pile)
    return piles


def runs(samples):
    """Splits samples where some are missing."""
    run, gap = [], 2.5
    for at, value in samples:
        if run and (not isfinite(value) or at - run[-1][0] > gap):
            yield run
            run = []
        if isfinite(value):
            run.append((at, value))
    if run:
        yield run


def point(at, value, scale):
    (low, high), (begin, end), (x, y, width, height) = scale
    value = min(max(value, low), high)
    return x + width * (at - begin) / (end - begin), y + height * (1 - (value - low) / (high - low))


def area(samples, color, place, span):
    """The way of one number, without any marks, at the foot of its panel."""
    samples = [(at, value) for at, value in samples if isfinite(value)]
    values = [value for _, value in samples]
    low, high = min([0, *values]), max(values)
    box = (1, place[1] * 0.62, place[0] - 2, place[1] * 0.38 - 2)
    scale = ((low, high if high > low else low + 1), span, box)
    parts = []
    for run in runs(samples):
        path = "L".join("{:.1f} {:.1f}".format(*point(at, value, scale)) for at, value in run)
        ends = [point(at, low, scale) for at in (run[-1][0], run[0][0])]
        base = "L".join("{:.1f} {:.1f}".format(*end) for end in ends)
        parts.append(f'<path d="M{path}L{base}Z" fill="{color}" opacity=".16"/>')
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="1.2" opacity=".8"/>')
    return parts


def heatmap(panel, series, place, span):
    """A distribution over time: a column a moment, a cell a bucket, the warmer the more there is in it."""
    unit = panel["options"]["yAxis"]["unit"]
    cumulated = sorted((float(name), dict(samples)) for name, samples in series)
    moments = sorted({at for _, samples in cumulated for at in samples})
    cells, below = [], {}
    for bound, samples in cumulated:
        cells.append((bound, {at: max(0, samples.get(at, 0) - below.get(at, 0)) for at in moments}))
        below = samples
    used = [index for index, (_, cell) in enumerate(cells) if any(value > 0 for value in cell.values())]
    first, last = (max(0, min(used) - 1), min(len(cells) - 1, max(used) + 1)) if used else (0, len(cells) - 1)
    cells = cells[first : last + 1]
    every = max(1, round(len(cells) * 13 / (place[1] - HEAD - FOOT)))
    bound = lambda value: told(unit, value) if isfinite(value) else "∞"
    marks = [(index, bound(value) if index % every == 0 else "") for index, (value, _) in enumerate(cells)]
    parts, (x, y, width, height) = frame(place, [*marks, (len(cells), "")], span, 0)
    most = max((value for _, cell in cells for value in cell.values()), default=0) or 1
    begin, end = span
    tall, wide = height / len(cells), width / max(1, end - begin)
    for index, (_, cell) in enumerate(cells):
        for at, value in cell.items():
            if value > 0 and at < end:
                part = (value / most) ** 0.5
                color = "#" + "".join(f"{round(cold + (hot - cold) * part):02x}" for cold, hot in zip(COLD, HOT))
                parts.append(
                    f'<rect x="{x + (at - begin) * wide:.1f}" y="{y + height - (index + 1) * tall:.1f}" '
                    f'width="{wide + 0.2:.1f}" height="{tall - 0.6:.1f}" fill="{color}" opacity="{0.25 + 0.75 * part:.2f}"/>'
                )
    return parts
