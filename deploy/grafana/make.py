"""Writes the boards of dashboards/ from what is in source/.

make.py            writes them
make.py --check    says which are not as they would be written, and exits 1
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE / "source"))

from cluster import CLUSTER  # noqa: E402
from engine import ENGINE  # noqa: E402
from overview import OVERVIEW  # noqa: E402


def main(arguments):
    stale = []
    for board in (OVERVIEW, ENGINE, CLUSTER):
        path = HERE / "dashboards" / f"{board.name}.json"
        text = json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"
        if arguments == ["--check"]:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}; run python3 deploy/grafana/make.py")


main(sys.argv[1:])
