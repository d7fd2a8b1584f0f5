"""Whatever happens to the disk, the last whole cut is found again."""

import os
import resource
import stat
import subprocess
import sys

import numpy as np
import pytest

from detector.batch import Partition
from detector.errors import StateError
from detector.state import Cut, DirectoryStore
from detector.state.encoding import HEAD, VERSION, head_of


def cut(sequence, n=10):
    return Cut({"n": np.arange(n)}, {Partition("t", 0): sequence}, sequence=sequence)


@pytest.fixture
def store(tmp_path):
    store = DirectoryStore(tmp_path / "state")
    yield store
    store.close()


def sequences(store):
    return [found.sequence for found in store.load()]


def test_the_two_latest_are_kept_the_newest_first(store):
    assert sequences(store) == []
    for i in range(1, 6):
        store.save(cut(i))
    assert sequences(store) == [5, 4]


def test_another_run_goes_on_writing_over_the_older(tmp_path):
    for i in range(1, 8):
        store = DirectoryStore(tmp_path)
        assert sequences(store) == [n for n in (i - 1, i - 2) if n > 0]
        store.save(cut(i))
        store.close()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_of_a_torn_cut_the_older_one_is_left(tmp_path, store, share):
    for i in (1, 2):
        store.save(cut(i))
    newest = tmp_path / "state" / "cut-2"
    newest.write_bytes(newest.read_bytes()[: int(len(newest.read_bytes()) * share)])

    assert sequences(store) == [1]
    assert store.n_damaged == 1
    store.save(cut(3))
    assert sequences(store) == [3, 1]


def test_what_a_newer_version_wrote_is_neither_read_nor_written_over(tmp_path, store):
    store.save(cut(1))
    path = tmp_path / "state" / "cut-1"
    body = path.read_bytes()[HEAD.size :]
    written = head_of(body, VERSION + 1) + body
    path.write_bytes(written)
    with pytest.raises(StateError, match=r"cut-1: is of format 2, newer than 1.*move the file away"):
        store.load()
    assert path.read_bytes() == written


def test_nobody_else_may_read_it(tmp_path, store):
    store.save(cut(1))
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "cut-1").stat().st_mode) == 0o600


def test_a_second_detector_is_kept_out(tmp_path, store):
    with pytest.raises(StateError, match="another detector keeps its state here"):
        DirectoryStore(tmp_path / "state")


def test_a_file_where_the_directory_should_be_is_told(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="cannot keep state here"):
        DirectoryStore(tmp_path / "state")


def test_links_and_pipes_are_not_followed(tmp_path, store):
    (tmp_path / "state" / "cut-1").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "state" / "cut-2")
    assert sequences(store) == []


LIMITED = """
import resource, sys
import numpy as np
from detector.batch import Partition
from detector.errors import StateError
from detector.state import Cut, DirectoryStore
from pathlib import Path
store = DirectoryStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    store.save(Cut({"n": np.random.default_rng(1).integers(0, 1 << 60, 10_000)}, {}, sequence=9))
except StateError as error:
    print(error)
print([c.sequence for c in store.load()], sorted(p.name for p in Path(sys.argv[1]).iterdir()))
"""


def test_a_limit_of_file_sizes_leaves_what_was_there(tmp_path):
    """The kernel's signal does not end the program, and nothing half-written stays."""
    store = DirectoryStore(tmp_path)
    for i in (1, 2):
        store.save(cut(i))
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "cannot be written (File too large)" in done.stdout
    assert "[2, 1] ['cut-1', 'cut-2', 'lock']" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_leaves_what_was_there(tmp_path):
    """And when there is room again, the next cut is kept."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        store = DirectoryStore(tmp_path)
        for i in (1, 2):
            store.save(cut(i))
        filler = tmp_path / "filler"
        filler.write_bytes(bytes(200_000))
        large = Cut({"n": np.random.default_rng(1).integers(0, 1 << 60, 30_000)}, {}, sequence=3)
        with pytest.raises(StateError, match="No space left on device"):
            store.save(large)
        assert sequences(store) == [2, 1]
        filler.unlink()
        store.save(cut(4))
        assert sequences(store) == [4, 2]
        store.close()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_limits_are_those_of_the_child_only():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
