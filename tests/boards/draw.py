"""Draws a board as SVG: what Grafana would show of these samples, in its grid, in light and in dark.

The same samples give the same picture: nothing in it depends on the machine's fonts or clock.
"""

from html import escape

from plot import area, heatmap, lines
from scale import told

COLUMN, UNIT, GAP, EDGE = 58, 34, 8, 16
TITLE = 62

NAMED = {
    "green": "#2f9e44",
    "yellow": "#d69e00",
    "orange": "#e8710a",
    "red": "#e03131",
    "blue": "#3d8bfd",
    "purple": "#8b5cf6",
    "text": "#868e96",
}
PALETTE = [
    "#3d8bfd",
    "#e8710a",
    "#2f9e44",
    "#8b5cf6",
    "#0ea5b7",
    "#d6336c",
    "#b08900",
    "#5c7cfa",
    "#868e96",
    "#a0522d",
    "#66a80f",
    "#c2255c",
]

STYLE = """
text{font-family:Inter,system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:11px;fill:#495057}
.page{fill:#f1f3f5}.card{fill:#fff;stroke:#dee2e6}.title{font-size:12.5px;font-weight:600;fill:#212529}
.board{font-size:21px;font-weight:600;fill:#212529}.row{font-size:14px;font-weight:600;fill:#343a40}
.grid{stroke:#e9ecef}.rule{stroke:#ced4da}.axis{font-size:10px;fill:#868e96}.big{font-size:25px;font-weight:600}
@media (prefers-color-scheme:dark){
text{fill:#ced4da}.page{fill:#111217}.card{fill:#181b1f;stroke:#2c3036}.title,.board{fill:#f1f3f5}.row{fill:#dee2e6}
.grid{stroke:#25292f}.rule{stroke:#373c44}.axis{fill:#868e96}}
"""


def board(dashboard, data, span, note):
    """Returns the picture. `data` has for each panel's id its series: [(name, [(time, value)])]."""
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    width, height = 2 * EDGE + 24 * COLUMN, TITLE + bottom * UNIT + EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(dashboard["title"])}">',
        f"<style>{STYLE.strip()}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        f'<text class="board" x="{EDGE + 4}" y="30">{escape(dashboard["title"])}</text>',
        f'<text x="{EDGE + 4}" y="50">{escape(note)}</text>',
    ]
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        x, y = EDGE + at["x"] * COLUMN + GAP / 2, TITLE + at["y"] * UNIT
        if panel["type"] == "row":
            parts.append(f'<text class="row" x="{x:g}" y="{y + 24:g}">{escape(panel["title"])}</text>')
            continue
        place = (at["w"] * COLUMN - GAP, at["h"] * UNIT - GAP)
        parts.append(f'<g transform="translate({x:g} {y:g})">')
        parts.append(f'<rect class="card" width="{place[0]}" height="{place[1]}" rx="4"/>')
        parts.append(f'<text class="title" x="10" y="19">{escape(panel["title"])}</text>')
        parts += drawn(panel, data[panel["id"]], place, span)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def drawn(panel, series, place, span):
    if panel["type"] == "stat":
        return number(panel, series, place, span)
    if panel["type"] == "heatmap":
        return heatmap(panel, series, place, span)
    return lines(panel, painted(panel, series), place, span)


def painted(panel, series):
    """Gives each series its colour: the panel's own for it, or the next of the palette."""
    fixed = {
        one["matcher"]["options"]: NAMED[one["properties"][0]["value"]["fixedColor"]]
        for one in panel["fieldConfig"]["overrides"]
    }
    rest = [color for color in PALETTE if color not in fixed.values()]
    others = [name for name, _ in series if name not in fixed]
    chosen = fixed | {name: rest[index % len(rest)] for index, name in enumerate(others)}
    return [(name, chosen[name], samples) for name, samples in series]


def number(panel, series, place, span):
    """One value, large, with its way behind it."""
    samples = [sample for _, samples in series for sample in samples]
    last = next((value for _, value in reversed(samples) if value == value), None)
    defaults = panel["fieldConfig"]["defaults"]
    if last is None:
        return [f'<text class="big" x="10" y="{place[1] / 2 + 14:g}">–</text>']
    color = next(
        NAMED[step["color"]]
        for step in reversed(defaults["thresholds"]["steps"])
        if step["value"] is None or last >= step["value"]
    )
    text = told(defaults["unit"], last, defaults.get("decimals"))
    for mapping in defaults.get("mappings", []):
        if said := mapping["options"].get(f"{last:g}"):
            text, color = said["text"], NAMED[said["color"]]
    return [
        *area(samples, color, (place[0], place[1]), span),
        f'<text class="big" x="10" y="54" style="fill:{color}">{escape(text)}</text>',
    ]
