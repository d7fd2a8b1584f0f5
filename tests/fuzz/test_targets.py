"""The short form: the same targets with a fixed seed, a stated number of executions of each.

Inputs are seeds that were cut, flipped, doubled or spliced, or plain noise. `make fuzz` is the long form.
"""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, MAX_INPUT_BYTES, MAX_MEMORY_BYTES, TARGETS

each_target = pytest.mark.parametrize("name", TARGETS)

PIECES = (
    b"", b"\0", b"\xff\xff\xff\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\n", b"\r\n", b" ",
    b"-", b"0", b"-1", b"9" * 30, b"1e999", b"NaN", b"null", b"true", b'""', b"[]", b"{}", b"{", b"[",
    b": ", b"&a ", b"*a", b"!!x ",
)  # fmt: skip
PLACE = st.floats(0, 1, exclude_max=True)
EDITS = st.tuples(
    st.sampled_from(["cut", "flip", "insert", "replace", "delete", "double"]),
    PLACE,
    st.integers(0, 40),
    st.sampled_from(PIECES) | st.binary(max_size=8),
)


def _edited(data, edit):
    kind, place, n, piece = edit
    at = int(place * len(data))
    match kind:
        case "cut":
            return data[:at]
        case "flip":
            return data[:at] + bytes(b ^ (1 << n % 8) for b in data[at : at + 1]) + data[at + 1 :]
        case "insert":
            return data[:at] + piece + data[at:]
        case "replace":
            return data[:at] + piece + data[at + max(len(piece), n) :]
        case "delete":
            return data[:at] + data[at + n :]
        case _:
            return data[:at] + data[at : at + n] * 2 + data[at + n :]


def inputs(seeds):
    """Return a strategy for seeds with a few edits, and for noise."""

    def apply(seed, edits):
        for edit in edits:
            seed = _edited(seed, edit)
        return seed[:MAX_INPUT_BYTES]

    near = st.builds(apply, st.sampled_from(seeds), st.lists(EDITS, max_size=4))
    return st.one_of(near, near, near, st.binary(max_size=64))


@each_target
def test_whatever_comes_in_only_documented_errors_come_out(name):
    """And all executions together take bounded memory, one after the other."""
    target = TARGETS[name]

    @settings(
        max_examples=target.short,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target.seeds()))
    def run(data):
        target.run(data)

    before = _resident_bytes("VmRSS")
    # From here on the kernel counts the peak anew.
    Path("/proc/self/clear_refs").write_text("5")
    run()
    assert _resident_bytes("VmHWM") - before < MAX_MEMORY_BYTES


def _resident_bytes(line):
    (found,) = re.findall(rf"^{line}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found) << 10


@each_target
def test_seeds_go_in(name):
    """What lies in the corpus, what was found once among it, breaks no promise; all of it is small."""
    seeds = TARGETS[name].seeds()
    assert seeds
    for seed in seeds:
        assert len(seed) <= MAX_INPUT_BYTES
        TARGETS[name].run(seed)


def test_no_seed_lies_unused():
    """Each directory of the corpus belongs to a target."""
    assert {path.name for path in CORPUS.iterdir()} == {t.corpus for t in TARGETS.values()} - {""}
