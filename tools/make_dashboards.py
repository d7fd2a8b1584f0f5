"""Make Grafana's files: `python tools/make_dashboards.py [DIRECTORY]`, by default deploy/grafana.

The files are committed, since nobody should need Python to look at a dashboard; a test makes them anew
and compares.
"""

import json
import sys
from pathlib import Path

import yaml
from dashboards.alerting import HEADER, alerting
from dashboards.feature import feature
from dashboards.overview import overview

DEPLOY = Path(__file__).parents[1] / "deploy"


def main(target: Path) -> None:
    """Write all files below `target`."""
    whole = overview()
    for made in (whole, feature()):
        path = target / "dashboards" / f"{made['uid']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    groups = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"]
    panel_id = next(panel["id"] for panel in whole["panels"] if panel["title"] == "Models over time")
    path = target / "provisioning" / "alerting" / "drift.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(alerting(groups, panel_id), sort_keys=False, width=110)
    path.write_text(HEADER + "\n" + text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEPLOY / "grafana")
