"""The commands of docs/ten-minutes.md, run as they stand there, say what the page shows.

Blocks are marked by what they need: `sh` nothing, `sh prometheus` and `sh alertmanager` these programs,
`sh live` a running stack, and `sh demo` is the demonstration, which has tests of its own. The `text` after a
block shows lines of its output; `...` stands for the rest of one.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from detector.cli.build import build_from_files
from detector.demo.run import BUILD, Stage
from detector.store import write_baseline
from detector.tables import find_files
from tests.deploy.shipped import ROOT
from tests.support.availability import FETCHED

TEXT = (ROOT / "docs" / "ten-minutes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh ?(\w*)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", TEXT, re.DOTALL | re.MULTILINE)
"""(what it needs, commands, lines of the output)."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A directory like a checkout in which the demonstration has left its files."""
    directory = tmp_path_factory.mktemp("checkout")
    (directory / "deploy").symlink_to(ROOT / "deploy")
    (directory / "tour").mkdir()
    stage = Stage.prepare(directory / "tour", keep_events=True)
    write_baseline(stage.baseline, build_from_files(find_files([str(stage.training)]), BUILD))
    return directory


def _run(checkout: Path, commands: str) -> str:
    """Run a block as a shell does, `drift-detector` being this one; return all that it prints."""
    itself = f'drift-detector() {{ "{sys.executable}" -m detector "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", itself + commands],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": os.pathsep.join((os.environ["PATH"], FETCHED))},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}\n{done.stdout}"
    return done.stdout


def _check(checkout: Path, needs: str) -> None:
    """Run the blocks of one kind in order, and look for what is shown of their output."""
    blocks = [(commands, shown) for needed, commands, shown in BLOCKS if needed == needs]
    assert blocks
    for commands, shown in blocks:
        said = _run(checkout, commands).splitlines()
        for line in shown.splitlines():
            begin = line.removesuffix("...")
            fits = (s == line if begin == line else s.startswith(begin) for s in said)
            assert any(fits), f"{commands}\ndoes not print\n{line}\nbut\n" + "\n".join(said)


def test_what_needs_nothing_runs(checkout):
    """Baseline, compare, replay, tune, configuration, and both test alarms on recorded events."""
    _check(checkout, "")


@pytest.mark.prometheus
def test_what_needs_promtool_runs(checkout):
    """The rules are copied and checked."""
    _check(checkout, "prometheus")


@pytest.mark.alertmanager
def test_what_needs_amtool_runs(checkout):
    """Routes reach whom the page says."""
    _check(checkout, "alertmanager")


@pytest.mark.alertmanager
def test_slack_fits_in_place_of_a_webhook(tmp_path):
    """The receiver that the page shows is one that Alertmanager takes."""
    (slack,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    shipped = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
    changed = re.sub(r"  - name: on-call\n(    .*\n)+", lambda _: slack, shipped)
    assert changed != shipped
    (tmp_path / "a.yml").write_text(changed)

    assert "SUCCESS" in _run(tmp_path, "amtool check-config a.yml")


def test_every_block_says_what_it_needs():
    """A misspelt mark would leave it out."""
    assert {needs for needs, _, _ in BLOCKS} == {"", "demo", "live", "prometheus", "alertmanager"}
    assert len(BLOCKS) == len(re.findall(r"^```sh", TEXT, re.MULTILINE))


def test_every_page_that_it_leads_to_is_there():
    """And the headings in them."""
    for target, anchor in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", TEXT):
        page = ROOT / "docs" / target
        assert page.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
            assert anchor in {h.lower().replace(" ", "-") for h in headings}, anchor
