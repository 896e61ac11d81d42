"""What the files of deploy/ say of each other: whether they agree, and whether the server takes it.

deploy.py WORK
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy/compose"
SITE = "chat.example.org"


def seconds(text):
    """Reads a duration of Compose."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def block(name):
    """Returns the commands of OPERATING's block with this name."""
    page = (ROOT / "docs/OPERATING.md").read_text()
    found = re.search(rf"^```sh {name}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/OPERATING.md has no block `sh {name}`"
    return found[1]


def filled(text, env):
    """Puts variables in, as Compose does for those that it knows: ${A}, ${A:-default}, ${A:?why}."""
    value = lambda found: env.get(found[1]) or (found[3] if found[2] == ":-" else None) or missing(found[1])
    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def missing(name):
    raise AssertionError(f"{name} is not in .env.example")


def main(work):
    example = dict(
        line.split("=", 1)
        for line in (COMPOSE / ".env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert example["ROOKERY_SITE"] == SITE
    compose = YAML(typ="safe").load(filled((COMPOSE / "compose.yaml").read_text(), example))
    services = compose["services"]
    config = tomllib.loads((COMPOSE / "rookery.toml").read_text())

    # What OPERATING says to type makes every secret that there is.
    secrets = work / "compose"
    subprocess.run(["rm", "-rf", secrets], check=True)
    secrets.mkdir()
    subprocess.run(["bash", "-euo", "pipefail", "-c", block("secrets")], cwd=secrets, check=True)
    made = {path.name for path in (secrets / "secrets").iterdir()}
    assert made == {Path(secret["file"]).name for secret in compose["secrets"].values()} == set(compose["secrets"])
    # Nobody but their owner comes as far as the files, which the containers' users read.
    assert (secrets / "secrets").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in (secrets / "secrets").iterdir())

    nodes = [name for name, service in services.items() if service["image"].startswith("rookery:")]
    assert nodes == ["n1", "n2", "n3"]
    for name in nodes:
        service, environment = services[name], services[name]["environment"]
        assert environment["ROOKERY_SERVER__NODE"] == name
        assert f"{name}:/var/lib/rookery" in service["volumes"], "its folder is its own"
        drain = config["server"]["drain_delay_seconds"] + config["server"]["drain_grace_seconds"]
        assert seconds(service["stop_grace_period"]) > drain, "it is killed while it drains"
        for secret in service["secrets"]:
            assert secret in compose["secrets"]
        check(service, environment, secrets / "secrets")

    caddy = services["caddy"]
    address = caddy["networks"]["front"]["ipv4_address"]
    assert config["server"]["trusted_proxies"] == [address], "the nodes do not believe Caddy"
    assert caddy["environment"]["ROOKERY_NODES"].split() == [f"{name}:7080" for name in nodes]
    version = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    assert caddy["image"].removeprefix("caddy:") == version.split()[0].removeprefix("v"), "another one is tried"
    env = os.environ | caddy["environment"]
    for command in ("adapt", "validate"):
        arguments = ["caddy", command, "--adapter", "caddyfile", "--config", COMPOSE / "Caddyfile"]
        told = subprocess.run(arguments, env=env, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr

    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"caddy": ["80:80", "443:443"]}, "something else can be reached from outside"
    inner = [name for name, service in services.items() if service["networks"] == ["back"]]
    assert inner == ["scylla", "redis"] and compose["networks"]["back"]["internal"]
    assert "--commitlog-sync=batch" in services["scylla"]["command"]
    print(f"they agree: {', '.join(services)}")


def check(service, environment, secrets):
    """Has the server read what a node is given."""
    given = {name: str(value).replace("/run/secrets", str(secrets)) for name, value in environment.items()}
    image = (ROOT / "deploy/docker/Dockerfile").read_text()
    given |= dict(re.findall(r"(ROOKERY_\w+)=([\w.:/-]+)", image))
    _, *arguments = service["command"]
    mounted = "/etc/rookery/rookery.toml"
    assert arguments == ["--config", mounted] and f"./rookery.toml:{mounted}:ro" in service["volumes"]
    command = [os.environ["ROOKERY_BIN"], "config", "--config", COMPOSE / "rookery.toml", "check"]
    told = subprocess.run(command, env=given, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


main(Path(sys.argv[1]))
