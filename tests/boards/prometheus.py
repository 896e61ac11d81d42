"""A real Prometheus with the files of deploy/prometheus, and what it answers."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = ROOT / "deploy/prometheus"
PATIENCE = 30

# Seconds between two scrapes, and what Grafana would make of `$__rate_interval` with them: four scrapes.
SCRAPE = 1
RATE_INTERVAL = 4 * SCRAPE


class Prometheus:
    """Scrapes every server of `jobs`: {job: {instance: address}}. With the configuration that is given to
    operators; only addresses, names of jobs and how often it looks are others'."""

    def __init__(self, folder, port, jobs):
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(folder / "prometheus.log", "wb")
        # What an earlier run has seen would be part of the long windows.
        shutil.rmtree(folder / "tsdb", ignore_errors=True)
        configuration = folder / "prometheus.yml"
        configuration.write_text(configured((DEPLOYED / "prometheus.yml").read_text(), jobs))
        (folder / "rookery.rules.yml").write_text((DEPLOYED / "rookery.rules.yml").read_text())
        arguments = [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log)
        self.until("Prometheus to be ready", self.is_ready)

    def until(self, what, is_so):
        """Waits until it is so, and returns what it is."""
        end = time.monotonic() + PATIENCE
        while not (found := is_so()):
            assert self.process.poll() is None, f"Prometheus has ended: {self.log.name}"
            assert time.monotonic() < end, f"waited too long for {what}"
            time.sleep(0.2)
        return found

    def is_ready(self):
        try:
            return urlopen(f"{self.url}/-/ready", timeout=PATIENCE).status == 200
        except OSError:
            return False

    def ask(self, path, **parameters):
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def series(self, expr, begin, end):
        """Returns the labels and the samples of each series in a span of time."""
        found = self.ask("query_range", query=expr, start=begin, end=end, step=SCRAPE)["result"]
        return [(one["metric"], [(at, float(value)) for at, value in one["values"]]) for one in found]

    def still(self):
        """Returns the names of those counters that have counted nothing on any server."""
        every = 'max by (__name__) (last_over_time({__name__=~"(rookery|process)_.+_(total|count)"}[10m]))'
        found = self.ask("query", query=f"{every} == 0")["result"]
        return sorted(one["metric"]["__name__"] for one in found)

    def broken_rules(self):
        """Returns the rules that could not be evaluated, and why."""
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        return [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"]

    def alerts(self):
        """Returns the names of the alerts that wait or fire."""
        return {(alert["labels"]["alertname"], alert["state"]) for alert in self.ask("alerts")["alerts"]}

    def end(self):
        self.process.terminate()
        self.process.wait()


def configured(example, jobs):
    """Returns the example with these servers in the place of its own."""
    text = re.sub(r"(scrape|evaluation)_interval: \w+", rf"\1_interval: {SCRAPE}s", example)
    text = re.sub(r"scrape_timeout: \w+", f"scrape_timeout: {SCRAPE}s", text)
    head, _, _ = text.partition("scrape_configs:\n")
    lines = [head, "scrape_configs:"]
    for job, servers in jobs.items():
        lines += [f"  - job_name: {job}", "    static_configs:"]
        for instance, address in servers.items():
            lines += [f'      - targets: ["{address}"]', f"        labels: {{instance: {instance}}}"]
    return "\n".join(lines) + "\n"


def asked(expr, job, seconds):
    """Returns a panel's expression as Grafana sends it, with everything chosen and `seconds` shown."""
    for name, text in {
        "$__rate_interval": f"{RATE_INTERVAL}s",
        "$__range": f"{max(1, round(seconds))}s",
        "$job": job,
        "$instance": ".+",
    }.items():
        expr = expr.replace(name, text)
    assert "$" not in expr, f"a variable is left: {expr}"
    return expr
