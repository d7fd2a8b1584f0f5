"""What people are told about schemas beside the schema itself: what inference saw, what differs."""

import re
import textwrap
from collections.abc import Sequence

from detector.report.text import cut
from detector.schema.diff import Difference
from detector.schema.infer import MIXED, NO_TYPE
from detector.schema.model import Schema

MOST = 20
WIDTH = 80

_OF_A_FEATURE = re.compile(r'feature ("(?:[^"\\\\]|\\\\.)*"): (.*)', re.DOTALL)


def inference_notes(schema: Schema) -> list[str]:
    """Return what inference decided that a person should look at, at most 80 columns wide."""
    apart = {name: f for name, f in schema.features.items() if f.role != "feature"}
    notes = [
        f"{cut(name, 28)}: {cut(f.note or f.role, 200)}; left out of drift (role: {f.role})"
        for name, f in list(apart.items())[:MOST]
    ]
    if len(apart) > MOST:
        notes.append(f"and {len(apart) - MOST:,} more columns with a role of their own")
    found: dict[str, list[str]] = {}
    for name, f in schema.features.items():
        if f.note in (NO_TYPE, MIXED):
            found.setdefault(f.note, []).append(cut(name, 28))
        elif f.lifecycle == "planned":
            found.setdefault("without any value, not checked", []).append(cut(name, 28))
    notes += [f"{what}: {cut(', '.join(names), 200)}" for what, names in found.items()]
    n_proposed = sum(bool(f.proposed) for f in schema.features.values())
    if n_proposed:
        has = "feature has" if n_proposed == 1 else "features have"
        notes.append(
            f"{n_proposed:,} {has} proposed rules (ranges and such): their anomalies are warnings until you "
            "delete `proposed`"
        )
    return [line for note in notes for line in _wrapped(note)]


def _wrapped(note: str) -> list[str]:
    return textwrap.wrap(note, WIDTH, initial_indent="  ", subsequent_indent="    ")


def gathered(left_out: Sequence[str]) -> list[str]:
    """Return what a translation left out, features of which the same is said in one line."""
    features: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in left_out:
        found = _OF_A_FEATURE.fullmatch(line)
        if found is None:
            lines.append(line)
        else:
            features.setdefault(found[2], []).append(found[1])
    for what, names in features.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
        lines.append(f"feature{'s' if len(names) > 1 else ''} {shown}: {what}")
    return lines


def difference_text(differences: Sequence[Difference]) -> str:
    """Return differences for people: `-` what was there, `+` what is there now."""
    if not differences:
        return "the schemas say the same"
    lines: list[str] = []
    subject: str | None = ""
    for d in differences:
        if d.feature != subject:
            subject = d.feature
            lines.append("data set" if subject is None else cut(subject, 60))
        for sign, words in (("-", d.before), ("+", d.after)):
            if words is not None:
                text = f"  {sign} {d.what.replace('_', ' ')}: {cut(words, 200)}"
                lines += textwrap.wrap(text, WIDTH, subsequent_indent="      ")
    return "\n".join(lines)
