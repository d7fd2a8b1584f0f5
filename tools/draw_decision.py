"""Draws docs/images/decision.svg: a feature of the demonstration, its threshold, and a fixed one.

drift-detector demo --exit --keep tour
drift-detector replay tour/events.jsonl --config tour/demo.yaml --output tour/result.jsonl
python tools/draw_decision.py tour/result.jsonl docs/images/decision.svg
"""

import json
import sys
from datetime import datetime
from pathlib import Path

FEATURE, STATISTIC, WINDOW_S = "dep_delay", "kolmogorov_smirnov", 172800
FIXED = 0.1
FAULT = ("2013-10-07", "2013-10-21", "fault: a clock runs away")
WIDTH, HEIGHT, LEFT, BOTTOM = 760, 300, 44, 34


def _points(path: Path) -> list[tuple[float, float, float]]:
    """Return (time, value, threshold) of every evaluation."""
    found = []
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["type"] != "evaluation" or record["feature"] != FEATURE:
            continue
        statistic = record["statistics"].get(STATISTIC)
        if record["window_s"] == WINDOW_S and statistic is not None and statistic["threshold"] is not None:
            at = datetime.fromisoformat(record["window_end"]).timestamp()
            found.append((at, statistic["value"], statistic["threshold"]))
    return found


def _svg(points: list[tuple[float, float, float]]) -> str:
    first, last = points[0][0], points[-1][0]
    top = 1.1 * max(max(value, threshold) for _, value, threshold in points)

    def x(at: float) -> float:
        return LEFT + (at - first) / (last - first) * (WIDTH - LEFT - 10)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - 16)

    def line(column: int, kind: str) -> str:
        path = " ".join(f"{x(p[0]):.1f},{y(p[column]):.1f}" for p in points[::4])
        return f'<polyline class="{kind}" points="{path}"/>'

    def day(text: str) -> float:
        return x(datetime.fromisoformat(text + "T00:00:00Z").timestamp())

    over = sum(value > FIXED for _, value, _ in points) / len(points)
    months = [
        (f"2013-{m:02}-01", name)
        for m, name in ((8, "Aug"), (9, "Sep"), (10, "Oct"), (11, "Nov"), (12, "Dec"))
    ]
    marks = "".join(f'<text x="{day(at):.0f}" y="{HEIGHT - 14}">{name}</text>' for at, name in months)
    scale = "".join(f'<text x="4" y="{y(v) + 4:.0f}">{v:.1f}</text>' for v in (0.0, 0.2, 0.4))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Kolmogorov-Smirnov distance of {FEATURE} over half a year with two thresholds">'
        "<style>text{font:12px sans-serif;fill:#445;paint-order:stroke;stroke:#fff;stroke-width:4px}"
        "polyline{fill:none;stroke-width:1.5}"
        ".value{stroke:#2b6cb0}.own{stroke:#c53030}.fixed{stroke:#777;stroke-dasharray:5 4}"
        ".fault{fill:#f6ad55;opacity:.35}rect.paper{fill:#fff}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<rect class="fault" x="{day(FAULT[0]):.0f}" y="16" width="{day(FAULT[1]) - day(FAULT[0]):.0f}" '
        f'height="{HEIGHT - BOTTOM - 16}"/>'
        f'<text x="{day(FAULT[0]) - 40:.0f}" y="12">{FAULT[2]}</text>'
        f'<line class="fixed" x1="{LEFT}" x2="{WIDTH - 10}" y1="{y(FIXED):.0f}" y2="{y(FIXED):.0f}" '
        'stroke="#777" stroke-dasharray="5 4"/>'
        f"{line(1, 'value')}{line(2, 'own')}{marks}{scale}"
        f'<text x="{LEFT + 4}" y="{y(points[0][2]) - 8:.0f}" style="fill:#c53030">'
        "our threshold: what these delays do by themselves</text>"
        f'<text x="{LEFT + 4}" y="{y(FIXED) - 5:.0f}">'
        f"a fixed threshold of {FIXED}: over it {over:.0%} of the time</text></svg>\n"
    )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_svg(_points(source)))
