"""Running programs as somebody else."""

import functools
import os
import shutil
import subprocess
import sys

IS_ROOT = os.geteuid() == 0

STRANGER = 10001
"""A user that owns nothing."""


def as_user(uid: int, gid: int, command: list[str], env: dict[str, str]) -> list[str]:
    """Return the command that runs `command` as that user, with no environment but `env`.

    Only root can become somebody else; who is not root runs it as who they are.
    """
    settings = [f"{name}={value}" for name, value in env.items()]
    become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"]
    return [*(become if IS_ROOT else ()), "env", "-i", *settings, *command]


@functools.cache
def python_for_all() -> str | None:
    """Return a Python of 3.11 or later that every user may run, not only the one to whom it belongs."""
    found = (getattr(sys, "_base_executable", sys.executable), "/usr/bin/python3")
    script = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
    for python in found:
        command = as_user(STRANGER, STRANGER, [python, "-c", script], {})
        if subprocess.run(command, cwd="/", capture_output=True, timeout=60, check=False).returncode == 0:
            return python
    return None


def other_users_available() -> str | None:
    """Return why nothing can be run as another user here; None if it can."""
    if IS_ROOT and shutil.which("setpriv") is None:
        return "there is no `setpriv`; install util-linux"
    if python_for_all() is None:
        return "there is no Python that every user may run; install python3 and python3-venv"
    return None
