"""What it costs the events that somebody looks: a scrape every second, under full load."""

import pytest

from tests.bench.beside import compared, serving

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

MOST_SLOWER = 0.05

SCRAPER = """
import sys, time, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
while True:
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()
    time.sleep(1.0)
"""


def test_a_scrape_every_second_slows_ingestion_by_less_than_5_percent(capsys):
    """Pairs of a few seconds with and without, in turns; the median of their ratios."""
    with serving() as (service, metrics, url):
        found = compared(service, SCRAPER, [f"{url}/metrics"])
    with capsys.disabled():
        page_mb = len(metrics.page()[0]) / 1e6
        print(f"\nscraped once a second, 40 features, page of {page_mb:.2f} MB: {found}")

    assert found.slower < MOST_SLOWER
