"""`make audit`: what was not asked for is never taken for nothing known."""

import json

from tools.audit import LOCKED, NOT_CHECKED, differing, locked, verdict

TWO = frozenset({("a-b", "1.0"), ("c", "2")})


def _report(*parts):
    return json.dumps({"dependencies": list(parts), "fixes": []})


def _part(name, version, *known):
    vulns = [{"id": i, "fix_versions": list(mended)} for i, *mended in known]
    return {"name": name, "version": version, "vulns": vulns}


def test_what_is_known_is_said_and_fails():
    """With the version that mends it, where there is one."""
    lines, code = verdict(_report(_part("a_b", "1.0", ("X-1", "1.1")), _part("c", "2", ("X-2",))), TWO)
    assert (lines, code) == (["a_b 1.0: X-1, mended in 1.1", "c 2: X-2, mended in no version"], 1)


def test_nothing_known_is_only_said_of_packages_that_were_all_asked_for():
    """A service that does not answer, knows no package, or is cut off is not a clean bill."""
    skipped = {"name": "c", "skip_reason": "not found"}
    assert verdict(_report(_part("a-b", "1.0"), _part("c", "2")), TWO)[0] == [
        "advisories: nothing is known against 2 packages"
    ]
    for report in ("", "[]", "{", _report(), _report(_part("a-b", "1.0"), skipped)):
        [line], code = verdict(report, TWO)
        assert NOT_CHECKED in line
        assert code == 0


def test_a_bill_lists_what_is_locked_and_nothing_else():
    """By name and version; names are compared as indexes of packages do."""
    parts = [{"name": "A_b", "version": "1.0"}, {"name": "c", "version": "2"}]
    assert differing(TWO, {"components": parts}) == []
    assert differing(TWO, {"components": parts[:1]}) == ["c==2"]
    assert differing(TWO, {"components": [*parts, {"name": "d", "version": "3"}]}) == ["d==3"]


def test_every_locked_package_has_a_hash_and_no_address():
    """So nothing else can be installed in its place, and the lock holds wherever packages come from."""
    text = LOCKED.read_text()
    blocks = text.replace("\\\n", " ").splitlines()
    packages = [line for line in blocks if "==" in line and not line.lstrip().startswith("#")]
    assert len(packages) == len(locked(text)) > 10
    assert all("--hash=sha256:" in line for line in packages)
    assert "://" not in text
