"""A Dockerfile followed without an engine: its instructions are carried out below a directory of ours.

Only as much of the language as the project's own Dockerfile uses. Each absolute path of the image becomes
one below `root`; the interpreter is this machine's, not the image's.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.users import IS_ROOT, python_for_all

OF_THE_IMAGE = re.compile(r"(?<![\w./-])/(?:opt|src|etc|var)\b")

SHIM = """\
#!/bin/sh
case "$2" in pip) exec {with_pip} "$@" ;; *) exec {plain} "$@" ;; esac
"""
"""`python` in the image has pip; the one here that everybody may run need not have it."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined."""

    name: str
    argument: str

    def words(self) -> list[str]:
        """Return the argument's exec form, or its words."""
        return list(json.loads(self.argument)) if self.argument.startswith("[") else self.argument.split()


def instructions(text: str) -> list[Instruction]:
    """Return the instructions in order, without comments."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def stages(text: str) -> list[list[Instruction]]:
    """Return the instructions of each stage; what stands before the first is left out."""
    found: list[list[Instruction]] = []
    for one in instructions(text):
        if one.name == "FROM":
            found.append([])
        elif found:
            found[-1].append(one)
    return found


def context_files(ignore: str) -> list[str]:
    """Return what a .dockerignore lets through that begins with ignoring all."""
    lines = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line[1:] for line in lines if line.startswith("!")]


@dataclass(slots=True)
class Build:
    """What the instructions have made so far."""

    root: Path
    context: Path
    workdir: Path
    env: dict[str, str] = field(default_factory=dict)
    user: tuple[int, int] = (0, 0)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        """Return the image's paths in `text` as paths below the root."""
        return OF_THE_IMAGE.sub(lambda path: f"{self.root}{path[0]}", text)

    def follow(self, stage: list[Instruction]) -> None:
        """Carry out one stage."""
        for one in stage:
            getattr(self, f"_{one.name.lower()}")(one)

    def _env(self, one: Instruction) -> None:
        for setting in one.words():
            name, value = setting.split("=", 1)
            self.env[name] = self.here(value)

    def _workdir(self, one: Instruction) -> None:
        self.workdir = Path(self.here(one.argument))
        self.workdir.mkdir(parents=True, exist_ok=True)

    def _copy(self, one: Instruction) -> None:
        *sources, target = [word for word in one.words() if not word.startswith("--")]
        to = self.workdir / self.here(target)
        owner = re.search(r"--chown=(\d+):(\d+)", one.argument)
        for source in sources:
            came = Path(self.here(source)) if "--from=" in one.argument else self.context / source
            if came == to:
                continue
            if came.is_dir():
                shutil.copytree(came, to, dirs_exist_ok=True)
            else:
                shutil.copy2(came, to / came.name if to.is_dir() else to)
        if owner and IS_ROOT:
            os.chown(to, int(owner[1]), int(owner[2]))

    def _run(self, one: Instruction) -> None:
        bin_directory = self.root / "python-bin"
        bin_directory.mkdir(exist_ok=True)
        shim = bin_directory / "python"
        shim.write_text(SHIM.format(with_pip=sys.executable, plain=python_for_all()))
        shim.chmod(0o755)
        ours = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        # What is in this machine's cache need not be fetched anew.
        its = {k: v for k, v in self.env.items() if k != "PIP_NO_CACHE_DIR"}
        done = subprocess.run(
            ["sh", "-c", self.here(one.argument)], cwd=self.workdir, capture_output=True, text=True,
            env={**ours, **its, "PATH": f"{bin_directory}:{os.environ['PATH']}"}, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def _user(self, one: Instruction) -> None:
        uid, gid = one.argument.split(":")
        self.user = (int(uid), int(gid))

    def _entrypoint(self, one: Instruction) -> None:
        self.entrypoint = one.words()

    def _cmd(self, one: Instruction) -> None:
        self.command = one.words()

    def _healthcheck(self, one: Instruction) -> None:
        self.healthcheck = json.loads(one.argument.split("CMD ", 1)[1])

    def _nothing(self, one: Instruction) -> None:
        """An instruction that tells the engine something."""

    _arg = _label = _expose = _stopsignal = _nothing
