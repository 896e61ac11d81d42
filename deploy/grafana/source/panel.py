"""The words that boards are written in: queries, panels, rows, a board.

What is written becomes Grafana's classic JSON (schema 39, read by Grafana 10.4 and later).
"""

from dataclasses import dataclass, field

# What every query is limited to, so that the two variables at the top of a board hold for all of it.
CHOSEN = 'job=~"$job",instance=~"$instance"'
RANGE = "[$__rate_interval]"
WIDTH = 24
SCHEMA = 39

GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = "green", "yellow", "orange", "red", "blue", "purple", "text"


def of(metric, where=""):
    """Returns the series of a metric on the chosen servers; `where` are further matchers."""
    return f"{metric}{{{CHOSEN}{',' if where else ''}{where}}}"


def folded(expr, by, how="sum"):
    """Returns `expr` folded into one series for each value of the labels `by`."""
    return f"{how} by ({by}) ({expr})" if by else f"{how}({expr})"


def value(metric, by="", where="", how="sum"):
    """Returns a gauge, added up."""
    return folded(of(metric, where), by, how)


def rate(metric, by="", where=""):
    """Returns how much a counter grows each second."""
    return folded(f"rate({of(metric, where)}{RANGE})", by)


def grown(metric, by="", where=""):
    """Returns by how much a counter has grown in the time that the board shows."""
    return folded(f"increase({of(metric, where)}[$__range])", by)


def quantile(part, histogram, by="", where=""):
    """Returns the bound below which `part` of what a histogram has seen lies."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({part}, {rate(histogram + '_bucket', labels, where)})"


def mean(histogram, by="", where=""):
    """Returns the mean of what a histogram has seen."""
    return f"{rate(histogram + '_sum', by, where)} / {rate(histogram + '_count', by, where)}"


def share(part, whole):
    """Returns a part of a whole, 0 where there is nothing at all."""
    return f"{part} / ({whole} > 0) or 0 * {whole}"


def happened(expr):
    """Returns only what is there: of many series those that are not 0, and not a number in no case."""
    return f"{expr} > 0"


@dataclass
class Query:
    """An expression, and what its series are called."""

    expr: str
    legend: str = "__auto"


def quantiles(histogram, where="", parts=(0.5, 0.9, 0.99)):
    """Returns the lines of a distribution, the highest first."""
    return [Query(quantile(part, histogram, where=where), f"p{part * 100:g}") for part in reversed(parts)]


@dataclass
class Panel:
    """One picture. `what` tells who looks at it what it shows, what is usual and what is not."""

    title: str
    what: str
    unit: str
    queries: list
    width: int = 8
    height: int = 7
    # Numbers from which on it has another colour: [(0.05, YELLOW), (0.1, RED)]; below them it has `base`.
    steps: list = field(default_factory=list)
    base: str = GREEN
    # Colours of series, by the names in their legend.
    colors: dict = field(default_factory=dict)
    min: float | None = 0
    max: float | None = None
    decimals: int | None = None
    stacked: bool = False
    kind: str = "timeseries"
    # What a value is called, in place of the number: {0: ("away", RED)}.
    names: dict = field(default_factory=dict)

    def json(self, number, at):
        """Returns what Grafana reads."""
        x, y = at
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.what,
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [
                {
                    "refId": chr(ord("A") + index),
                    "datasource": DATASOURCE,
                    "expr": query.expr,
                    "legendFormat": query.legend,
                    "range": True,
                    "instant": False,
                }
                | ({"format": "heatmap"} if self.kind == "heatmap" else {})
                for index, query in enumerate(self.queries)
            ],
            "fieldConfig": {"defaults": self.defaults(), "overrides": [paint(*one) for one in self.colors.items()]},
            "options": self.options(),
        }

    def defaults(self):
        steps = [{"color": self.base, "value": None}, *({"color": color, "value": at} for at, color in self.steps)]
        if self.kind == "heatmap":
            return {"custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False}}}
        given = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}
        given |= {name: bound for name in ("min", "max", "decimals") if (bound := getattr(self, name)) is not None}
        if self.names:
            options = {str(value): {"text": text, "color": color} for value, (text, color) in self.names.items()}
            given["mappings"] = [{"type": "value", "options": options}]
        if self.kind == "stat":
            return given | {"color": {"mode": "thresholds"}, "noValue": "–"}
        return given | {
            "color": {"mode": "palette-classic"},
            "custom": {
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": 35 if self.stacked else 8,
                "showPoints": "never",
                "spanNulls": False,
                "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
                "thresholdsStyle": {"mode": "dashed" if self.steps else "off"},
            },
        }

    def options(self):
        if self.kind == "stat":
            return {
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "colorMode": "value",
                "graphMode": "area",
                "textMode": "auto",
                "justifyMode": "auto",
            }
        if self.kind == "heatmap":
            return {
                "calculate": False,
                "yAxis": {"unit": self.unit, "axisPlacement": "left"},
                "color": {"mode": "scheme", "scheme": "Turbo", "scale": "exponential", "exponent": 0.5, "steps": 64},
                "cellGap": 1,
                "tooltip": {"mode": "single", "yHistogram": True},
                "legend": {"show": True},
            }
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }


def stat(title, what, unit, query, **more):
    """Returns a panel of one number, with its way behind it."""
    more = {"width": 3, "height": 4} | more
    return Panel(title, what, unit, [Query(query, title)], kind="stat", **more)


def heatmap(title, what, unit, histogram, **more):
    """Returns a panel of a distribution: a column a moment, the warmer the more there is."""
    query = Query(folded(f"increase({of(histogram + '_bucket')}{RANGE})", "le"), "{{le}}")
    return Panel(title, what, unit, [query], kind="heatmap", **more)


def paint(name, color):
    """Returns the override that gives a series its colour."""
    fixed = {"id": "color", "value": {"mode": "fixed", "fixedColor": color}}
    return {"matcher": {"id": "byName", "options": name}, "properties": [fixed]}


@dataclass
class Board:
    """One page: rows of panels, each row with its name."""

    name: str
    title: str
    what: str
    rows: dict

    def json(self):
        """Returns what Grafana reads."""
        panels, y = [], 0
        for title, row in self.rows.items():
            place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
            panels.append(
                {
                    "id": len(panels) + 1,
                    "type": "row",
                    "title": title,
                    "collapsed": False,
                    "gridPos": place,
                    "panels": [],
                }
            )
            x, y, tallest = 0, y + 1, 0
            for panel in row:
                if x + panel.width > WIDTH:
                    x, y, tallest = 0, y + tallest, 0
                panels.append(panel.json(len(panels) + 1, (x, y)))
                x, tallest = x + panel.width, max(tallest, panel.height)
            y += tallest
        return {
            "uid": f"rookery-{self.name}",
            "title": self.title,
            "description": self.what,
            "tags": ["rookery"],
            "editable": False,
            "schemaVersion": SCHEMA,
            "version": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "graphTooltip": 1,
            "annotations": {"list": [STARTS]},
            "links": [LINKS],
            "templating": {"list": VARIABLES},
            "panels": panels,
        }


DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Moments at which a server began to run, as lines over every panel.
STARTS = {
    "name": "Starts",
    "datasource": DATASOURCE,
    "enable": True,
    "iconColor": PURPLE,
    "expr": f"changes({of('process_start_time_seconds')}[1m]) > 0",
    "titleFormat": "{{instance}} started",
}
LINKS = {
    "type": "dashboards",
    "title": "Rookery",
    "tags": ["rookery"],
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
}


def variable(name, label, query):
    """Returns a variable with the values that a label has."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


VARIABLES = [
    {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "current": {},
    },
    variable("job", "Job", "label_values(rookery_connections, job)"),
    variable("instance", "Instance", 'label_values(rookery_connections{job=~"$job"}, instance)'),
]
