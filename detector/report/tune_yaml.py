"""The settings that `tune` proposes, as YAML to paste: each with one line that says why."""

import json
import re
from collections.abc import Iterator

from detector.report.records import Record
from detector.report.text import cut
from detector.times import format_duration
from detector.tune.advice import Advice, VersionAdvice, pattern_of
from detector.tune.rehearsal import NOW, Rehearsal, per_month

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
NOT_TEXT = ("true", "false", "null")
WIDTH = 98


def proposed_settings(advice: Advice) -> Record:
    """Return the proposal as the configuration would have it; models apart, for each may differ."""
    models = []
    for name, own in advice.models.items():
        decision = {"min_effect": own.min_effect, "min_samples": own.min_samples}
        features = {pattern_of(f): {"min_effect": level} for f, level in own.features.items()}
        models.append({"name": name, "decision": decision, **({"features": features} if features else {})})
    lengths = [format_duration(length_s) for length_s in advice.windows.lengths_s]
    return {"windows": {"lengths": lengths}, "models": models}


def proposal_yaml(advice: Advice) -> str:
    """Return the proposal as YAML with reasons, at most `WIDTH` columns wide where names allow it."""
    lines = ["windows:", *_windows(advice)]
    if not advice.is_by_model:
        lines += ["decision:", *_decision(advice, next(iter(advice.models)), "  ")]
    lines += _models(advice)
    return "\n".join(lines)


def _windows(advice: Advice) -> Iterator[str]:
    reasons = advice.windows.reasons or ("as they are: the traffic fills them",)
    for reason in reasons:
        yield f"  # {cut(reason, WIDTH - 4)}"
    lengths = ", ".join(format_duration(length_s) for length_s in advice.windows.lengths_s)
    yield f"  lengths: [{lengths}]"


def _decision(advice: Advice, model: str, indent: str) -> Iterator[str]:
    own = advice.models[model]
    versions = [v for v in advice.versions if v.key.model == model]
    yield f"{indent}# {_why(versions, own.min_effect)}"
    yield f"{indent}min_effect: {own.min_effect:g}"
    changed = any(v.before.monitored.policy.min_samples != own.min_samples for v in versions)
    why = "lowered, so that the windows above can be judged" if changed else "as it is"
    yield f"{indent}min_samples: {own.min_samples}  # {why}"
    why = "as --budget says" if advice.is_budget_asked else "as it is"
    yield f"{indent}false_alarms_per_30_days: {versions[0].budget:g}  # {why}"


def _why(versions: list[VersionAdvice], base: float) -> str:
    loudest = max((v.proved for v in versions), key=lambda p: per_month(_alarms(p), p.days))
    rate = per_month(_alarms(loudest), loudest.days)
    in_force = versions[0].after.monitored.policy.min_effect
    kept = "as it is" if base == in_force else f"{in_force:g} was in force"
    if not all(v.effect.keeps_budget for v in versions):
        return f"{kept}: nothing keeps the budget, see 6 above ({rate:.2f} false alarms in 30 days)"
    return (
        f"{kept}; with all that is proposed alarms: {_alarms(loudest)} in {loudest.days:.1f} days "
        f"({rate:.2f} in 30 days)"
    )


def _alarms(found: Rehearsal) -> int:
    return int(found.book.counts[NOW].sum())


def _models(advice: Advice) -> Iterator[str]:
    if not advice.is_by_model and not next(iter(advice.models.values())).features:
        return
    yield "models:"
    for model, own in advice.models.items():
        yield f"  - name: {quoted(model)}"
        if advice.is_by_model:
            yield "    decision:"
            yield from _decision(advice, model, "      ")
        if own.features:
            yield "    features:  # below what stands there already: later entries win"
            for name, level in own.features.items():
                why = _why_own(advice, model, name)
                yield f"      {quoted(pattern_of(name))}: {{min_effect: {level:g}}}  # {why}"


def _why_own(advice: Advice, model: str, name: str) -> str:
    """Say what a feature does at what the others have, and what is left with its own."""
    said = []
    for version in (v for v in advice.versions if v.key.model == model):
        names = version.after.monitored.baseline.features.names
        if name not in names:
            continue
        f = names.index(name)
        before = int(version.after.book.counts[NOW, :, f].sum())
        said.append((before, int(version.proved.book.counts[NOW, :, f].sum())))
    before, left = max(said)
    return f"alarms: {before} without, {left} with it"


def quoted(text: str) -> str:
    """Return a name as YAML reads it back as text."""
    if PLAIN.fullmatch(text) and text not in NOT_TEXT:
        return text
    return json.dumps(text, ensure_ascii=False)
