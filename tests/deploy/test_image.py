"""The Dockerfile: clean by hadolint, right about the program, and its steps carried out as plain processes.

No engine is needed, and none was there: what is proven is that the lock installs, that what is copied is
enough, and that what comes out runs as a stranger who may write nowhere.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.config import DEFAULT_PORT
from tests.cli.running import write_config
from tests.deploy.shipped import ROOT
from tests.support.dockerfile import Build, context_files, instructions, stages
from tests.support.factories import baseline_of, training_rows
from tests.support.processes import Program, free_port, wait_until
from tests.support.users import IS_ROOT, as_user

DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text()


def argument(name: str) -> str:
    """Return the argument of an instruction that there is once in the last stage."""
    (found,) = [one.argument for one in stages(DOCKERFILE)[-1] if one.name == name]
    return found


def test_hadolint_has_nothing_to_say():
    """Not even advice on style."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_speak_up(tmp_path):
    """The check above can fail."""
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && sudo pip install x\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)

    assert done.returncode == 1


def test_the_image_speaks_of_the_program_as_it_is():
    """Port, health check, entry point, and a number for a user, so that Kubernetes sees it is not root."""
    assert argument("EXPOSE") == str(DEFAULT_PORT)
    assert f"http://127.0.0.1:{DEFAULT_PORT}/healthz" in argument("HEALTHCHECK")
    assert argument("USER") == "10001:10001"
    assert argument("STOPSIGNAL") == "SIGTERM"
    assert argument("ENTRYPOINT") == '["drift-detector"]'


def test_only_hashed_or_own_packages_are_installed():
    """Every `pip install` either checks hashes or takes the wheel that was just built."""
    runs = " ".join(one.argument for one in instructions(DOCKERFILE) if one.name == "RUN")
    installs = [part for part in runs.split("&&") if " install " in part]

    assert len(installs) == 3
    for part in installs:
        assert "--require-hashes" in part or "--no-deps --no-index" in " ".join(part.split())


@pytest.fixture(scope="module")
def image() -> Iterator[Build]:
    """What the Dockerfile makes, below a directory that everybody may look into."""
    with tempfile.TemporaryDirectory(prefix="drift-image-") as directory:
        top = Path(directory)
        top.chmod(0o755)
        context = top / "context"
        context.mkdir()
        for name in context_files(IGNORED):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / name, context / name)
        build = Build(top / "root", context, top)
        first, last = stages(DOCKERFILE)
        build.follow(first)
        build.env.clear()
        build.follow(last)
        # The second stage has nothing of the first but what it copies.
        for left_behind in (
            context,
            build.root / "src",
            build.root / "opt" / "build",
            build.root / "opt" / "wheel",
        ):
            shutil.rmtree(left_behind)
        yield build


def healthy(image: Build, port: int) -> bool:
    """Ask as the image's health check does, as the image's user."""
    check = [word.replace(str(DEFAULT_PORT), str(port)) for word in image.healthcheck]
    done = subprocess.run(as_user(*image.user, check, image.env), cwd="/", capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.image
@pytest.mark.timeout(300)
def test_what_the_dockerfile_makes_runs_as_a_stranger_who_may_write_nowhere(image, rng, tmp_path):
    """From the lock and the wheel alone, without a home: healthy, and ended by SIGTERM within 10 s.

    As the image's user where we are root; else as we are, in a directory that is read-only.
    """
    from detector.store import write_baseline

    etc = image.root / "etc" / "drift-detector"
    write_baseline(etc / "baseline.json", baseline_of(training_rows(rng, 2000)))
    source = {"kind": "kafka", "bootstrap_servers": [f"127.0.0.1:{free_port()}"], "topics": ["events"]}
    write_config(etc / "detector.yaml", Path("baseline.json"), source=source)
    port = free_port()
    command = [*image.entrypoint, *[image.here(word) for word in image.command]]
    image.env |= {"PATH": image.env["PATH"].replace("$PATH", os.defpath), "DRIFT_HTTP__PORT": str(port)}
    etc.chmod(0o555)
    service = Program(
        ["sh", "-c", 'cd "$0" && exec "$@"', str(etc), *as_user(*image.user, command, image.env)],
        tmp_path / "service.log",
    )
    try:
        wait_until(lambda: healthy(image, port) or not service.is_running, 60, "healthy")
        assert service.is_running, service.tail()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b"drift_build_info" in answer.read()
        assert service.terminate(timeout_s=10) == 0
    finally:
        service.kill()
    if IS_ROOT:
        theirs = [path for path in image.root.rglob("*") if path.lstat().st_uid == image.user[0]]
        assert theirs == [image.root / "var" / "lib" / "drift-detector"]
