"""Which files a name means, and how several files are read as one table."""

import gzip
import hashlib
import os
import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.columns import Chunk
from detector.errors import ConfigError, DataError
from detector.tables import DataFile, digest_files, find_files, read_chunks
from tests.tables.reading import texts


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder of its own, so that names are short and relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _make(*names: str, content: bytes = b"a\n1\n") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)


def _found(*names: str) -> list[str]:
    return [file.path for file in find_files(names)]


@pytest.mark.parametrize(
    ("name", "kind", "gzipped"),
    [
        ("t.csv", "csv", False),
        ("t.CSV", "csv", False),
        ("t.csv.gz", "csv", True),
        ("T.Tsv.GZ", "tsv", True),
        ("t.jsonl", "jsonl", False),
        ("t.ndjson.gz", "ndjson", True),
        ("t.parquet", "parquet", False),
        ("part.0.x.parquet", "parquet", False),
    ],
)
def test_the_name_says_what_a_file_holds(name, kind, gzipped):
    """The suffix in small or capital letters, and whether it is gzipped; its size is that on disk."""
    _make(name, content=b"12345")

    assert find_files([name]) == [DataFile(name, 5, kind, gzipped)]


@pytest.mark.parametrize(
    "name",
    ["t.txt", "t", "t.gz", "t.json", "t.parquet.gz", "t.csv.zip", "t.csv.bak", ".csv", "csv", "t.csv."],
)
def test_an_unknown_suffix_is_refused_with_those_there_are(name):
    """Whoever names a file in vain learns what to name."""
    _make(name)

    with pytest.raises(DataError) as caught:
        find_files([name])

    assert str(caught.value) == (
        f"{name}: unknown kind of data file; expected a name ending in "
        ".csv, .jsonl, .ndjson, .tsv (each also with .gz) or .parquet"
    )


def test_a_directory_means_the_data_files_in_it_at_any_depth():
    """In alphabetical order, without what other programs put beside data."""
    data = ["d/b.csv", "d/a/z.csv", "d/c.jsonl.gz", "d/dt=2026-01-01/p.parquet"]
    beside = [
        "d/readme.txt",
        "d/.hidden.csv",
        "d/_meta.csv",
        "d/_SUCCESS",
        "d/_temporary/x.csv",
        "d/.git/x.csv",
    ]
    _make(*data, *beside)

    assert _found("d") == sorted(data)
    assert _found("d/") == sorted(data)


def test_a_name_is_taken_at_its_word():
    """A file that a directory would leave out is read when it is named."""
    _make("_x.csv", ".y.csv", "_d/z.csv")

    assert _found("_x.csv", ".y.csv", "_d") == ["_x.csv", ".y.csv", "_d/z.csv"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("[b].*", ["b.csv", "b.tsv"]),
        ("d*", ["d/e/x.csv", "d/y.csv"]),
        ("**/x.csv", ["d/e/x.csv"]),
        ("d/**", ["d/e/x.csv", "d/y.csv"]),
    ],
)
def test_a_glob_means_what_it_matches(pattern, expected):
    """Files in alphabetical order, and of directories what is in them, each file once."""
    _make("b.csv", "a.csv", "b.tsv", "d/y.csv", "d/e/x.csv")

    assert sorted(_found(pattern)) == expected


def test_an_existing_file_wins_over_a_glob():
    """Brackets are lawful in names."""
    _make("t[1].csv", "t1.csv")

    assert _found("t[1].csv") == ["t[1].csv"]
    assert _found("t[[]1].csv") == ["t[1].csv"]


def test_a_file_that_is_named_twice_is_read_once():
    """Under the first of its names, whether by itself, by a glob, by a directory or by a link."""
    _make("d/a.csv", "d/b.csv")
    Path("link.csv").symlink_to("d/a.csv")

    assert _found("./d/b.csv", "d", "*/*.csv", "link.csv") == ["./d/b.csv", "d/a.csv"]


def test_links_between_directories_are_followed_but_not_in_a_circle():
    """A link to a folder above it ends the walk there."""
    _make("d/a.csv", "elsewhere/b.csv")
    Path("d/up").symlink_to("..", target_is_directory=True)
    Path("d/e").symlink_to("../elsewhere", target_is_directory=True)

    assert _found("d") == ["d/a.csv", "d/e/b.csv"]


def _make_pipe() -> None:
    os.mkfifo("t.csv")


def _make_socket() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("t.csv")


def _make_link(target: str) -> None:
    Path("t.csv").symlink_to(target)


BAD_FILES = [
    pytest.param(_make_pipe, "is a pipe, not a regular file", id="pipe"),
    pytest.param(_make_socket, "is a socket, not a regular file", id="socket"),
    pytest.param(lambda: _make_link("/dev/null"), "is a device, not a regular file", id="device"),
    pytest.param(lambda: _make_link("t.csv"), "cannot be read: Too many levels", id="link-to-itself"),
]


@pytest.mark.parametrize("name", ["t.csv", "*.csv", "."])
@pytest.mark.parametrize(("make", "expected"), BAD_FILES)
def test_what_is_no_regular_file_is_refused_however_it_is_found(make, expected, name):
    """A table is read more than once; nothing waits for a pipe, and no traceback is shown."""
    make()

    with pytest.raises(DataError, match=f"^t.csv: {expected}"):
        find_files([name])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("./none.csv", "./none.csv: no such file or directory", id="no-file"),
        pytest.param("a.csv/b.csv", "a.csv/b.csv: no such file or directory", id="below-a-file"),
        pytest.param("dangling.csv", "dangling.csv: no such file or directory", id="dangling-link"),
        pytest.param("*.tsv", "*.tsv: no file matches", id="glob-without-match"),
        pytest.param("empty", "empty: no data file in this directory; expected names ending", id="directory"),
        pytest.param(
            "emp*", "emp*: no data file in these directories; expected names", id="glob-of-directories"
        ),
        pytest.param(
            "x" * 300 + ".csv", "x" * 300 + ".csv: cannot be read: File name too long", id="long-name"
        ),
    ],
)
def test_a_name_that_means_no_file_is_refused(name, expected):
    """Nothing is left out silently, even if other names mean files."""
    _make("a.csv", "empty/readme.txt")
    Path("dangling.csv").symlink_to("gone.csv")

    with pytest.raises(DataError) as caught:
        find_files(["a.csv", name])

    assert str(caught.value).startswith(expected)


def _read(*names: str, **options: object) -> list[Chunk]:
    return list(read_chunks(find_files(names), **options))


def test_the_rows_of_all_files_follow_one_another():
    """Kinds may be mixed, columns may stand in another order, and each chunk says where it is from."""
    _make("1.csv", content=b"a,b\n1,x\n2,y\n")
    _make("2.tsv.gz", content=gzip.compress(b"b\ta\nz\t3\n"))
    pq.write_table(pa.table({"b": ["w"], "a": [4]}), "3.parquet")
    _make("4.jsonl", content=b'{"c":5}\n')

    chunks = _read("1.csv", "2.tsv.gz", "3.parquet", "4.jsonl", rows=1)

    assert texts(chunks) == {
        "a": ["1", "2", "3", "4", None],
        "b": ["x", "y", "z", "w", None],
        "c": [None, None, None, None, "5"],
    }
    places = [(chunk.path, chunk.first_row) for chunk in chunks]
    assert places == [("1.csv", 1), ("1.csv", 2), ("2.tsv.gz", 1), ("3.parquet", 1), ("4.jsonl", 1)]


@pytest.mark.parametrize(
    ("header", "difference"),
    [
        ("a,c", "(without b; with c)"),
        ("a", "(without b)"),
        ("a,b,c,d", "(with c, d)"),
        ("A,b", "(without a; with A)"),
    ],
)
@pytest.mark.parametrize("rows", [0, 1])
def test_files_with_other_columns_than_the_first_are_refused(header, difference, rows):
    """Both files and the differing columns are named, even where the other file has no rows."""
    _make("1.csv", content=b"a,b\n1,2\n")
    _make("2.csv", content=(header + "\n" + header * rows + "\n").encode())

    with pytest.raises(DataError) as caught:
        _read("1.csv", "2.csv")

    assert str(caught.value).startswith(f"2.csv: other columns than 1.csv {difference}; ")


def test_a_file_without_rows_among_others_is_no_error():
    """Partitions may be empty; only if all are, there is nothing to work with."""
    _make("1.csv", "3.csv", content=b"a\n")
    _make("2.csv", content=b"a\n1\n")

    assert texts(_read("1.csv", "2.csv", "3.csv")) == {"a": ["1"]}
    with pytest.raises(DataError, match=r"^1\.csv, 3\.csv: no data rows$"):
        _read("1.csv", "3.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl", "t.parquet"])
@pytest.mark.parametrize("n", [1, 100, 50_000])
def test_progress_adds_up_to_the_size_of_the_files(name, n):
    """`advance` is told of every byte on disk exactly once, and never of none."""
    if name == "t.parquet":
        pq.write_table(pa.table({"a": range(n)}), name)
    else:
        text = "a\n" + "7\n" * n if "csv" in name else '{"a":7}\n' * n
        _make(name, content=gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    told: list[int] = []

    chunks = _read(name, rows=7000, advance=told.append)

    assert sum(chunk.n for chunk in chunks) == n
    assert sum(told) == Path(name).stat().st_size
    assert min(told) > 0


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl.gz", "t.parquet"])
def test_a_file_that_is_gone_by_the_time_it_is_read_is_named(name):
    """What the file system says becomes a message, for reading as for the digest."""
    _make(name)
    files = find_files([name])
    Path(name).unlink()

    with pytest.raises(DataError, match=f"^{name}: cannot be read: .*[Nn]o such file"):
        list(read_chunks(files))
    with pytest.raises(DataError, match=f"^{name}: cannot be read: No such file"):
        digest_files(files)


def test_the_digest_is_that_of_the_bytes_on_disk_one_file_after_another():
    """Anyone can check it with `cat` and `sha256sum`; the order counts."""
    first, second = b"a\n" + b"1\n" * 700_000, gzip.compress(b"a\n2\n")
    _make("1.csv", content=first)
    _make("2.csv.gz", content=second)

    assert digest_files(find_files(["1.csv", "2.csv.gz"])) == hashlib.sha256(first + second).hexdigest()
    assert digest_files(find_files(["2.csv.gz", "1.csv"])) == hashlib.sha256(second + first).hexdigest()


def test_misuse_is_refused():
    """Chunks of no rows would never end, and only known kinds can be read."""
    with pytest.raises(ValueError, match="rows must be at least 1, got 0"):
        list(read_chunks([], rows=0))
    with pytest.raises(ConfigError, match="unknown kind of data file 'xls'; known: csv, jsonl"):
        list(read_chunks([DataFile("t.xls", 1, "xls")]))
