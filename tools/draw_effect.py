"""Draws docs/images/effect.svg: what changes of several sizes look like, and how far `min_effect` reaches.

python tools/draw_effect.py docs/images/effect.svg
"""

import math
import sys
from pathlib import Path

SHIFTS = (0.1, 0.25, 0.5, 1.0)
MIN_EFFECT = 0.08
WIDTH, HEIGHT, PANEL, BASE, TOP = 760, 190, 190, 140, 36
LOW, HIGH, STEPS = -3.0, 4.0, 120


def _density(x: float, mean: float) -> float:
    return math.exp(-((x - mean) ** 2) / 2.0)


def _hellinger(shift: float) -> float:
    # Of two normal laws of one spread: sqrt(1 - exp(-shift² / 8)), shift in standard deviations.
    return math.sqrt(1.0 - math.exp(-(shift**2) / 8.0))


def _curve(left: float, mean: float) -> str:
    points = []
    for i in range(STEPS + 1):
        x = LOW + (HIGH - LOW) * i / STEPS
        at = left + 8 + (PANEL - 16) * i / STEPS
        points.append(f"{at:.1f},{BASE - (BASE - TOP) * _density(x, mean):.1f}")
    return " ".join(points)


def _panel(index: int, shift: float) -> list[str]:
    left, distance = index * PANEL, _hellinger(shift)
    verdict, color = ("drift", "#b91c1c") if distance > MIN_EFFECT else ("too small to matter", "#475569")
    middle = left + PANEL / 2
    return [
        f'<polygon points="{left + 8},{BASE} {_curve(left, 0.0)} {left + PANEL - 8},{BASE}" fill="#cbd5e1"/>',
        f'<polyline points="{_curve(left, shift)}" fill="none" stroke="#1d4ed8" stroke-width="2"/>',
        f'<text x="{middle}" y="22" text-anchor="middle">mean moved by {shift:g}</text>',
        f'<text x="{middle}" y="{BASE + 20}" text-anchor="middle">distance {distance:.2f}</text>',
        f'<text x="{middle}" y="{BASE + 38}" text-anchor="middle" fill="{color}">{verdict}</text>',
    ]


def main() -> None:
    """Write the picture."""
    parts = [line for i, shift in enumerate(SHIFTS) for line in _panel(i, shift)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="13" fill="#334155">'
    )
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    title = "<title>Training data (grey) and live data (blue) whose mean has moved</title>"
    Path(sys.argv[1]).write_text("\n".join([head, title, paper, *parts, "</svg>"]) + "\n")


if __name__ == "__main__":
    main()
