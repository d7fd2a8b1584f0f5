"""Grafana's dashboards and alerts, written as code; `tools/make_dashboards.py` makes the files."""
