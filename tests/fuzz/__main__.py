"""The long form, with Atheris (libFuzzer): `make fuzz`, `make fuzz ARGS="--seconds 600 config http"`.

Each target runs in a process of its own, and is told branches of `detector` and what it parses with that an
input reaches for the first time. An input that breaks a promise is kept in `.fuzz/TARGET/`, as is what was
learned; once it is mended the input belongs into `tests/fuzz/corpus`.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

KEPT = Path(".fuzz")
FOLLOWED = ("detector", "yaml", "uvicorn", "h11")
"""Packages whose branches are followed."""
INSIDE = "--inside"
MAX_RSS_MB = 1024
MAX_EXECUTION_S = 20


def _arguments() -> argparse.Namespace:
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all of them, or: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="of each target (default: 60)")
    parser.add_argument("--runs", type=int, default=-1, help="executions of each target (default: no limit)")
    parser.add_argument("--seed", type=int, default=20261125)
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    arguments.targets = arguments.targets or list(TARGETS)
    return arguments


def _fuzz(name: str, seconds: str, runs: str, seed: str) -> None:
    """Fuzz one target; the process ends with it."""
    import atheris

    with atheris.instrument_imports(include=[*FOLLOWED]):
        from tests.fuzz.targets import MAX_INPUT_BYTES, TARGETS

    directory = KEPT / name
    (directory / "corpus").mkdir(parents=True, exist_ok=True)
    for i, content in enumerate(TARGETS[name].seeds()):
        (directory / "corpus" / f"seed{i}").write_bytes(content)
    options = {
        "max_len": MAX_INPUT_BYTES,
        "max_total_time": seconds,
        "runs": runs,
        "seed": seed,
        "rss_limit_mb": MAX_RSS_MB,
        "timeout": MAX_EXECUTION_S,
        "artifact_prefix": f"{directory}/",
        "print_final_stats": 1,
    }
    flags = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(directory / "corpus")], TARGETS[name].run)
    atheris.Fuzz()


def _report(name: str, arguments: argparse.Namespace) -> bool:
    """Fuzz one target in its own process, print a line about it, and return whether it kept its promise."""
    given = [str(given) for given in (arguments.seconds, arguments.runs, arguments.seed)]
    command = [sys.executable, "-m", "tests.fuzz", INSIDE, name, *given]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode(errors="replace")
    n = max(map(int, re.findall(r"(?:number_of_executed_units: |^#)(\d+)", said, re.MULTILINE)), default=0)
    print(f"{name}: {n} executions, {'nothing found' if done.returncode == 0 else 'FOUND:'}", flush=True)
    if done.returncode:
        print(said[-4000:], flush=True)
    return done.returncode == 0


def main() -> int:
    """Fuzz what was asked for."""
    if sys.argv[1:2] == [INSIDE]:
        _fuzz(*sys.argv[2:])
    arguments = _arguments()
    kept = [_report(name, arguments) for name in arguments.targets]
    return 0 if all(kept) else 1


sys.exit(main())
