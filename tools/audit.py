"""`make audit`: a bill of materials of the locked requirements, and what is known against them.

What could not be asked for is said plainly, and is no success: a list without findings looks the same
whether nothing is known or nobody answered.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKED = ROOT / "requirements.txt"
BILL = ROOT / "build" / "sbom.json"
NOT_CHECKED = "not reachable, not checked"
TIMEOUT_S = 300


Locked = frozenset[tuple[str, str]]
"""(name, version); a name may have versions for several versions of Python."""


def locked(text: str) -> Locked:
    """Return what a file of locked requirements holds."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return frozenset((_plain(name), version) for name, version in found)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def differing(wanted: Locked, bill: Mapping[str, Any]) -> list[str]:
    """Return what stands in the lock and not in the bill, or the other way round."""
    listed = {(_plain(part["name"]), part.get("version")) for part in bill.get("components", ())}
    return sorted(f"{name}=={version}" for name, version in listed ^ wanted)


def verdict(report: str, wanted: Locked) -> tuple[list[str], int]:
    """Return what pip-audit's JSON says in lines, and an exit code: 1 if anything is known."""
    try:
        dependencies = json.loads(report)["dependencies"]
    except (ValueError, TypeError, KeyError):
        dependencies = []
    found = [
        f"{part['name']} {part['version']}: {v['id']}, "
        f"mended in {', '.join(v['fix_versions']) or 'no version'}"
        for part in dependencies
        for v in part.get("vulns", ())
    ]
    checked = {(_plain(part["name"]), part["version"]) for part in dependencies if "vulns" in part}
    left = sorted(name for name, _ in wanted - checked)
    unchecked = (
        [f"advisories: {NOT_CHECKED}: {len(left)} of {len(wanted)} packages ({_some(left)})"] if left else []
    )
    clean = [] if found or left else [f"advisories: nothing is known against {len(wanted)} packages"]
    return [*found, *unchecked, *clean], int(bool(found))


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def main() -> int:
    """Write the bill, compare it with the lock, ask for advisories."""
    programs = Path(sys.executable).parent
    wanted = locked(LOCKED.read_text(encoding="utf-8"))
    BILL.parent.mkdir(exist_ok=True)
    subprocess.run(  # noqa: S603 - programs of our own environment
        [programs / "cyclonedx-py", "requirements", LOCKED, "--of", "JSON", "-o", BILL],
        check=True,
        timeout=TIMEOUT_S,
    )
    apart = differing(wanted, json.loads(BILL.read_text(encoding="utf-8")))
    print(  # noqa: T201 - it is what the command tells
        f"{BILL.relative_to(ROOT)}: {len(wanted)} packages" if not apart else f"not as locked: {_some(apart)}"
    )
    asked = subprocess.run(  # noqa: S603 - as above
        [programs / "pip-audit", "--require-hashes", "--disable-pip", "-r", LOCKED, "-f", "json",
         "--progress-spinner", "off"],
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    lines, code = verdict(asked.stdout, wanted)
    print("\n".join(lines))  # noqa: T201 - the same
    return max(code, int(bool(apart)))


if __name__ == "__main__":
    sys.exit(main())
