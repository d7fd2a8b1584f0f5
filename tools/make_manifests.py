"""Make what other files say already: `python tools/make_manifests.py [DIRECTORY]`, by default deploy/.

Prometheus' rules for its operator, and for compose the scrape and the data sources with the names that
containers have for each other. The files are committed; a test makes them anew and compares.
"""

import sys
from pathlib import Path

import yaml

DEPLOY = Path(__file__).parents[1] / "deploy"

HEADER = "# Made by tools/make_manifests.py of deploy/{}: edit that, and run the script.\n"

RULES = "prometheus/rules.yml"

IN_COMPOSE = {
    "127.0.0.1:9723": "detector:9723",
    "127.0.0.1:9090": "prometheus:9090",
    "127.0.0.1:9093": "alertmanager:9093",
}
"""What this machine's addresses are called within compose."""


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that expressions stay readable."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _write_text)


def prometheus_rule(rules: str) -> str:
    """Return the manifest that holds the groups of a file of rules."""
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "drift-detector", "labels": {"app.kubernetes.io/part-of": "drift-detector"}},
        "spec": {"groups": yaml.safe_load(rules)["groups"]},
    }
    text: str = yaml.dump(manifest, Dumper=Dumper, sort_keys=False, width=110, allow_unicode=True)
    return HEADER.format(RULES) + text


def renamed(source: str) -> str:
    """Return a file of deploy/ with the addresses that hold within compose."""
    text = (DEPLOY / source).read_text()
    for here, there in IN_COMPOSE.items():
        text = text.replace(here, there)
    return HEADER.format(source) + text


def main(target: Path) -> None:
    """Write all files below `target`."""
    made = {
        "kubernetes/components/prometheus-operator/prometheusrule.yaml": prometheus_rule(
            (DEPLOY / RULES).read_text()
        ),
        "compose/prometheus.yml": renamed("prometheus/prometheus.yml"),
        "compose/datasources.yaml": renamed("grafana/provisioning/datasources/prometheus.yaml"),
    }
    for name, text in made.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEPLOY)
