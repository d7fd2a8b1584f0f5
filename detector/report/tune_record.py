"""The advice of `tune` as a record: what `--format json` prints."""

from detector.report.records import Record, number
from detector.report.tune_yaml import proposal_yaml, proposed_settings
from detector.times import format_duration, format_time
from detector.tune.advice import Advice, VersionAdvice, quantiles_of
from detector.tune.grid_book import MOST_EPISODES, Episode
from detector.tune.movement import ANY, NAMES
from detector.tune.rehearsal import GRID, NOW, Rehearsal, counts_by_subject, most_per_month, per_month


def advice_record(advice: Advice) -> Record:
    """Return the whole advice."""
    return {
        "versions": [_version(version) for version in advice.versions],
        "windows": {
            "lengths": [format_duration(length_s) for length_s in advice.windows.lengths_s],
            "reasons": list(advice.windows.reasons),
            "hints": list(advice.windows.hints),
        },
        "proposal": proposed_settings(advice),
        "yaml": proposal_yaml(advice),
    }


def _version(version: VersionAdvice) -> Record:
    before, after = version.before, version.after
    effect = version.effect
    return {
        "model": version.key.model,
        "version": version.key.version,
        "from": format_time(before.first_s),
        "to": format_time(before.last_s),
        "days": after.days,
        "days_of_known_drift": after.n_excluded * after.spec.pane_s / 86400.0,
        "budget_per_30_days": version.budget,
        "windows": [
            {
                "window": format_duration(fill.length_s),
                "events_5_percent": fill.few,
                "events_half": fill.usual,
                "enough_ratio": fill.enough_share if fill.is_whole else None,
            }
            for fill in version.fills
        ],
        "in_force": {
            "min_effect": before.monitored.policy.min_effect,
            **_alarms(int(before.book.counts[NOW].sum()), before.days),
        },
        "grid": [
            {"min_effect": x, **_alarms(int(after.book.counts[i + 1].sum()), after.days)}
            for i, x in enumerate(GRID)
        ],
        "proposed": {
            "min_effect": effect.base,
            "keeps_budget": effect.keeps_budget,
            "lowest_within_budget": effect.lowest,
            **_alarms(int(version.proved.book.counts[NOW].sum()), version.proved.days),
        },
        "model_as_a_whole": {"episodes": _by_level(after, -1)},
        "features": _features(version),
        "episodes": [episode_record(after, episode) for episode in after.book.episodes[NOW]],
        "episodes_kept": MOST_EPISODES,
        "schema_alerts": after.schema_alerts,
        "cannot_know": list(version.doubts),
    }


def _alarms(episodes: int, days: float) -> Record:
    return {
        "episodes": episodes,
        "per_30_days": number(per_month(episodes, days)),
        "per_30_days_at_most": number(float(most_per_month(episodes, days))),
    }


def _by_level(found: Rehearsal, subject: int) -> list[Record]:
    counts = counts_by_subject(found)[1:, subject].tolist()
    return [{"min_effect": x, **_alarms(int(n), found.days)} for x, n in zip(GRID, counts, strict=True)]


def _features(version: VersionAdvice) -> Record:
    found = version.after
    moved = quantiles_of(found)
    records = {}
    for f, feature in enumerate(found.monitored.baseline.features.all):
        records[feature.name] = {
            "type": feature.type,
            "min_effect": float(found.levels[NOW, f]),
            "proposed_min_effect": float(version.effect.levels[f]),
            "movement": {
                format_duration(length_s): {
                    name: {
                        what: number(float(values[k, f])) for what, values in table.items() if k < len(values)
                    }
                    for k, name in enumerate(NAMES)
                }
                for length_s, table in moved.items()
            },
            "in_force": _alarms(int(counts_by_subject(found)[NOW, f]), found.days),
            "episodes": _by_level(found, f),
            "smallest_change": {
                "unit": "standard deviations" if feature.is_numeric else "share of events",
                "within_1h": number(float(version.smallest[0, f])),
                "within_24h": number(float(version.smallest[1, f])),
                "if_it_lasts": number(float(version.smallest[2, f])),
            },
        }
    return records


def episode_record(found: Rehearsal, episode: Episode) -> Record:
    """Return an alert that would have fired; `feature` is null for the model as a whole."""
    names = found.monitored.baseline.features.names
    return {
        "feature": names[episode.subject] if episode.subject < len(names) else None,
        "slice": found.monitored.slices.names[episode.row],
        "window": format_duration(episode.window_s),
        "starts_at": format_time(episode.start_s),
        "ends_at": None if episode.end_s is None else format_time(episode.end_s),
        "effect": number(episode.effect),
    }


assert NAMES[-1] == ANY, "the noise of single distances comes first"
