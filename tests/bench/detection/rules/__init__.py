"""What others do, one file a family: rules that look at the same windows as ours and name what drifts.

A family is a function of the training data's own windows, measured, that returns rules by name; a rule is a
function of live windows, measured, that returns flags (T, F), numeric features first.
"""

from tests.bench.detection.rules import evidently, nannyml, significance, tfdv
from tests.bench.detection.rules.measures import Measured

FAMILIES = (evidently.rules, nannyml.rules, significance.rules, tfdv.rules)


def peers(reference, chunks):
    """Return every rule by name, fitted to the training sample as a whole and to its windows."""
    measured = Measured(reference, chunks)
    found = {}
    for family in FAMILIES:
        found |= family(measured)
    return found
