"""What happened to every record and every window, counted."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from detector.batch import ModelKey
from detector.drift.evaluation import Evaluation
from detector.tree import Tree, dict_of, int_of, list_of, text_of, texts_of

SHED = ("open_panes", "new_columns", "departed_versions")
"""What goes because there is too much of it: panes judged without the partition that lags, names of new
columns that are not told, counters of model versions that left."""


@dataclass(slots=True)
class Counters:
    """What happened to every record; only ever grows."""

    consumed: Counter[str] = field(default_factory=Counter)
    """Records by topic."""
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rejected records by topic and reason."""
    accepted: Counter[ModelKey] = field(default_factory=Counter)
    """Events counted into panes, by model version."""
    evaluations: Counter[tuple[ModelKey, str]] = field(default_factory=Counter)
    """Evaluated windows by model version and outcome (ok, insufficient)."""
    alerts_fired: Counter[tuple[ModelKey, str]] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records that can never be read, by topic and reason."""
    labels: int = 0
    shed: Counter[str] = field(default_factory=Counter)
    """What went because there was too much of it, by one of `SHED`."""
    evaluation_digest: str = ""
    """Of all evaluations so far, in order: two detectors with the same have decided the same all the way."""

    def note(self, evaluation: Evaluation) -> None:
        """Take window, counts and states into the digest; no sums, whose last digits tell of polls."""
        window = evaluation.window
        about = f"{self.evaluation_digest}|{evaluation.key}|{window.length_s}|{window.start_s}|{window.end_s}"
        digest = hashlib.blake2b(about.encode("utf-8", "surrogatepass"), digest_size=16)
        digest.update(window.profile.counts.tobytes())
        digest.update(evaluation.state.tobytes() + evaluation.dataset_state.tobytes())
        self.evaluation_digest = digest.hexdigest()

    def forget(self, key: ModelKey) -> None:
        """Begin anew for a model version."""
        del self.accepted[key]
        for counter in (self.evaluations, self.alerts_fired):
            for place in [place for place in counter if place[0] == key]:
                del counter[place]

    def copy(self) -> "Counters":
        """Return a copy that no longer changes with this one."""
        return Counters(
            self.consumed.copy(),
            self.rejected.copy(),
            self.accepted.copy(),
            self.evaluations.copy(),
            self.alerts_fired.copy(),
            self.lost.copy(),
            self.labels,
            self.shed.copy(),
            self.evaluation_digest,
        )

    def remember(self) -> Tree:
        """Return all of them."""
        return {
            "consumed": [[topic, n] for topic, n in self.consumed.items()],
            "rejected": [[*place, n] for place, n in self.rejected.items()],
            "accepted": [[*key, n] for key, n in self.accepted.items()],
            "evaluations": [[*key, outcome, n] for (key, outcome), n in self.evaluations.items()],
            "alerts_fired": [[*key, alert, n] for (key, alert), n in self.alerts_fired.items()],
            "lost": [[*place, n] for place, n in self.lost.items()],
            "labels": self.labels,
            "shed": [[what, n] for what, n in self.shed.items()],
            "evaluation_digest": self.evaluation_digest,
        }

    @classmethod
    def recall(cls, tree: Tree) -> "Counters":
        """Return what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        return cls(
            Counter({topic: n for (topic,), n in _counted(read["consumed"], 1)}),
            Counter({(topic, reason): n for (topic, reason), n in _counted(read["rejected"], 2)}),
            Counter({ModelKey(m, v): n for (m, v), n in _counted(read["accepted"], 2)}),
            Counter({(ModelKey(m, v), what): n for (m, v, what), n in _counted(read["evaluations"], 3)}),
            Counter({(ModelKey(m, v), what): n for (m, v, what), n in _counted(read["alerts_fired"], 3)}),
            Counter({(topic, reason): n for (topic, reason), n in _counted(read["lost"], 2)}),
            int_of(read["labels"]),
            # Earlier versions did not count it.
            Counter({what: n for (what,), n in _counted(read.get("shed", []), 1)}),
            text_of(read["evaluation_digest"]),
        )


def _counted(tree: Tree, n_names: int) -> list[tuple[list[str], int]]:
    """Return lists of so many names and a number each."""
    found = []
    for item in list_of(tree):
        parts = list_of(item)
        if len(parts) != n_names + 1:
            raise ValueError("has a counter of other names")
        found.append((texts_of(parts[:-1]), int_of(parts[-1])))
    return found
