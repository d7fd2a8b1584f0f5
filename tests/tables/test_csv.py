"""CSV and TSV files: what a cell is, which files are refused and where, and chunks of bounded size."""

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables.reading import LAW, evidence, read, refusal, texts

AB = {"a": ["1", "3"], "b": ["2", "4"]}

LAWFUL = [
    pytest.param("a,b\n1,2\n3,4\n", AB, id="plain"),
    pytest.param("a,b\n1,2\n3,4", AB, id="last-line-without-end"),
    pytest.param("a,b\r\n1,2\r\n3,4\r\n", AB, id="crlf"),
    pytest.param("a,b\r\n1,2\r\n3,4", AB, id="crlf-last-without-end"),
    pytest.param("a,b\r1,2\r3,4\r", AB, id="cr"),
    pytest.param("a,b\n1,2\r\n3,4\n", AB, id="mixed-line-ends"),
    pytest.param("\ufeffa,b\n1,2\n3,4\n", AB, id="byte-order-mark"),
    pytest.param('\ufeff"a",b\n1,2\n3,4\n', AB, id="byte-order-mark-and-quote"),
    pytest.param("\n\na,b\n\n1,2\n\n\n3,4\n\n", AB, id="empty-lines"),
    pytest.param("\r\na,b\r\n\r\n1,2\r\n3,4\r\n\r\n", AB, id="empty-crlf-lines"),
    pytest.param('"a","b"\n"1","2"\n"3","4"\n', AB, id="everything-quoted"),
    pytest.param('a\n"x,y"\n', {"a": ["x,y"]}, id="delimiter-in-quotes"),
    pytest.param('a\n"x ""y"" z"\n', {"a": ['x "y" z']}, id="quotes-in-quotes"),
    pytest.param('a,b\n"x\ny",1\nz,2\n', {"a": ["x\ny", "z"], "b": ["1", "2"]}, id="newline-in-quotes"),
    pytest.param('a,b\r\n"x\r\ny",1\r\n', {"a": ["x\r\ny"], "b": ["1"]}, id="crlf-in-quotes"),
    pytest.param('a\n"x\n\ny"\n', {"a": ["x\n\ny"]}, id="empty-line-in-quotes"),
    pytest.param('a,b\nx"y,1\n', {"a": ['x"y'], "b": ["1"]}, id="quote-inside-a-cell"),
    pytest.param("a,b\n,\n1,\n,2\n", {"a": [None, "1", None], "b": [None, None, "2"]}, id="empty-cells"),
    pytest.param('a,b\n"",""\n', {"a": [None], "b": [None]}, id="quoted-empty-cells"),
    pytest.param('a\n""\n\n1\n', {"a": [None, "1"]}, id="one-column-quoted-empty-and-empty-line"),
    pytest.param("a\n1\n\n2\n", {"a": ["1", "2"]}, id="one-column-empty-line"),
    pytest.param("a\r\n1\r\n\r\n2\r\n", {"a": ["1", "2"]}, id="one-column-empty-crlf-line"),
    pytest.param("a, b\n 1 ,2 \n", {"a": [" 1 "], " b": ["2 "]}, id="blanks-stay"),
    pytest.param("a\nx\u2028y\x0bz\x85\x1c\n", {"a": ["x\u2028y\x0bz\x85\x1c"]}, id="only-crlf-end-lines"),
    pytest.param("größe,名前\n1,東京\n", {"größe": ["1"], "名前": ["東京"]}, id="unicode"),
    pytest.param("a;b\n1;2\n", {"a;b": ["1;2"]}, id="semicolon-is-text"),
    pytest.param("a\n" + "x" * 131_072 + "\n", {"a": ["x" * 131_072]}, id="longest-cell"),
]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize(("text", "expected"), LAWFUL)
def test_a_table_reads_as_rfc_4180_says(text, expected, name):
    """Quotes, line ends, byte order mark and empty lines mean what they mean to other programs."""
    content = text.encode()

    assert texts(read(gzip.compress(content) if name.endswith("gz") else content, name)) == expected


@pytest.mark.parametrize("suffix", ["tsv", "TSV", "tsv.gz"])
def test_tabs_separate_the_cells_of_a_tsv_file(suffix):
    """A comma is text there, and a quoted tab too."""
    content = b'a\tb\n1,5\t"x\ty"\n'

    found = read(gzip.compress(content) if suffix.endswith("gz") else content, f"t.{suffix}")

    assert texts(found) == {"a": ["1,5"], "b": ["x\ty"]}


REFUSED = [
    pytest.param(b"", "empty file; expected a header", id="empty-file"),
    pytest.param(b"\xef\xbb\xbf", "empty file; expected a header", id="only-a-byte-order-mark"),
    pytest.param(b"\n\r\n\n", "empty file; expected a header", id="only-empty-lines"),
    pytest.param(b"a,b\n", "no data rows", id="header-only"),
    pytest.param(b"a,b\n\n\n", "no data rows", id="header-and-empty-lines"),
    pytest.param(b"a,b\n1,2\n3\n", "line 3: found 1 cells, expected 2", id="short-row"),
    pytest.param(b"a,b\n1,2,3\n", "line 2: found 3 cells, expected 2", id="long-row"),
    pytest.param(b"a,b\n1,2\n3,4,\n", "line 3: found 3 cells, expected 2", id="trailing-delimiter"),
    pytest.param(b"a,b\n1\n1,2,3\n", "line 2: found 1 cells", id="ragged-rows-that-even-out"),
    pytest.param(b"a,b\r\n1,2\r\n\r\n3\r\n", "line 4: found 1 cells", id="short-crlf-row"),
    pytest.param(b"a,b\r1,2\r3\r", "line 3: found 1 cells", id="short-cr-row"),
    pytest.param(b'a,b\n"x\n\ny",2\n3\n', "line 5: found 1 cells", id="short-row-after-a-long-cell"),
    pytest.param(b'a,b\n1,2\n"x\ny"\n', "line 3: found 1 cells", id="short-row-of-two-lines"),
    pytest.param(b"a,b,a,b\n1,2,3,4\n", "line 1: column name twice in the header: a, b;", id="same-names"),
    pytest.param(b"a,,c\n1,2,3\n", "line 1: column 2 has no name", id="no-name"),
    pytest.param(b"\n\na, ,c\n1,2,3\n", "line 3: column 2 has no name", id="blank-name"),
    pytest.param(b'a,b\n1,2\n"x,3\n4,5\n', "line 3: a quote that opens here", id="open-quote"),
    pytest.param(b'"a,b\n1,2\n', "line 1: a quote that opens here", id="open-quote-in-header"),
    pytest.param(b'a,b\n"x"y,3\n', "line 2: text after a closing quote", id="text-after-quote"),
    pytest.param(b'a,b\n1,2\n"x" ,3\n', "line 3: text after a closing quote", id="blank-after-quote"),
    pytest.param("a\n1\né\n".encode("latin-1"), "line 3: not UTF-8; convert", id="latin-1"),
    pytest.param("é\n1\n".encode("latin-1"), "line 1: not UTF-8; convert", id="latin-1-header"),
    pytest.param("a\n1\n".encode("utf-16"), "line 1: not UTF-8", id="utf-16"),
    pytest.param("a\n1\n".encode("utf-16-le"), "line 1: NUL byte", id="utf-16-without-mark"),
    pytest.param(b"a\r\n1\r\n\0\r\n", "line 3: NUL byte", id="nul"),
    pytest.param(b"a\n1\n" + b"x" * 131_073 + b"\n", "line 3: a cell is longer than 131,072", id="long-cell"),
    pytest.param(b'a\n1\n"' + b"2\n" * 70_000, "line 3: a cell is longer than 131,072", id="swallowed-rows"),
    pytest.param(b"a\n1\n" + b"x" * (17 << 20), "line 3: longer than 16 MiB", id="long-line"),
]


@pytest.mark.parametrize(("content", "expected"), REFUSED)
def test_a_refusal_names_the_file_and_the_line(content, expected):
    """What is wrong, in which file, on which line, the first one being line 1."""
    assert refusal(content).startswith(expected)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize(
    ("bad", "expected"),
    [(b"1", "found 1 cells"), (b"\xff,2", "not UTF-8"), (b"\0,2", "NUL byte"), (b'"', "a quote that opens")],
    ids=["ragged", "not-utf-8", "nul", "open-quote"],
)
def test_lines_are_counted_over_the_blocks_of_a_large_file(line_end, bad, expected, name):
    """The line in a message is right a hundred thousand lines into the file, whatever ends a line."""
    end = line_end.encode()
    good = [b"a,b", *(b"%d,x" % i for i in range(60_000)), b'"x' + end + b'y",z', *[b"1,2"] * 40_000]
    content = end.join([*good, bad]) + end

    message = refusal(gzip.compress(content, 1) if name.endswith("gz") else content, name)

    assert message.startswith(f"line {1 + 60_000 + 2 + 40_000 + 1}: {expected}")


CELLS = st.text(
    st.one_of(
        st.sampled_from('",\t\n\r x1.'), st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    ),
    max_size=6,
)


@st.composite
def tables(draw, cells=CELLS):
    """Return some rows of one width."""
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12))


def _written(rows, delimiter=",", line_end="\r\n", quoting=csv.QUOTE_MINIMAL):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow([f"c{i}" for i in range(len(rows[0]))])
    writer.writerows(rows)
    return stream.getvalue().encode()


@LAW
@given(
    rows=tables(),
    size=st.integers(1, 13),
    kind=st.sampled_from([("csv", ","), ("tsv", "\t")]),
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]),
)
def test_what_the_csv_module_writes_is_read_back_whatever_the_chunk_size(rows, size, kind, style):
    """No cell is lost, split or changed; chunks have at most `rows` rows and follow one another."""
    suffix, delimiter = kind

    chunks = read(_written(rows, delimiter, *style), f"t.{suffix}", size)

    assert texts(chunks) == {
        f"c{i}": [cell or None for cell in column] for i, column in enumerate(zip(*rows, strict=True))
    }
    assert [chunk.n for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
    assert [chunk.first_row for chunk in chunks] == list(range(1, len(rows) + 1, size))


NUMBERS = ["1", "-2", "+3", "01", "1.5", ".5", "2.", "1e3", "1E400", " 7 ", "99999999999999999999"]
WORDS = [
    "",
    " ",
    "NA",
    "null",
    "None",
    "nan",
    "-inf",
    "true",
    "False",
    "x",
    "1,5",
    "0x10",
    "1_000",
    "٣",
    "[1]",
]
TYPED = st.sampled_from([*NUMBERS, *WORDS])


@LAW
@given(rows=tables(TYPED), size=st.integers(1, 13), share=st.sampled_from([0.0, 0.01, 0.4]))
def test_the_inferred_types_do_not_depend_on_the_chunk_size(rows, size, share):
    """Evidence adds up over chunks, and so does the type found from it."""
    content = _written(rows)

    whole, pieces = read(content), read(content, rows=size)

    for name in whole[0].columns:
        assert evidence(pieces, name) == evidence(whole, name)
        assert evidence(pieces, name).type(share) == evidence(whole, name).type(share)


def test_quoted_cells_that_span_blocks_read_as_the_csv_module_reads_them():
    """Blocks with and without quotes, and cells of many lines across them, give the same rows."""
    rows = [[str(i), f"{i}.5", "plain"] for i in range(9000)]
    for i in range(0, 9000, 700):
        rows[i] = [str(i), "a\nb" * (i * 3), 'quote " here,\r\n']
    content = _written(rows, line_end="\n")
    expected = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))[1:]

    found = texts(read(content, rows=1000))

    assert [[cell or "" for cell in row] for row in zip(*found.values(), strict=True)] == expected


def test_a_wide_table_comes_in_chunks_of_fewer_rows():
    """The cells of a chunk are bounded, not only its rows."""
    width, n = 6000, 800
    content = (",".join(f"c{i}" for i in range(width)) + "\n" + (",".join(["1"] * width) + "\n") * n).encode()

    chunks = read(content)

    assert sum(chunk.n for chunk in chunks) == n
    assert max(chunk.n for chunk in chunks) * width <= 1 << 21
    assert len(chunks) == 3


GOOD = gzip.compress(b"a\n" + b"".join(b"%d\n" % i for i in range(50_000)))

DAMAGED = [
    pytest.param(GOOD[: len(GOOD) // 2], id="cut-off"),
    pytest.param(GOOD[:-4], id="cut-off-in-the-checksum"),
    pytest.param(GOOD[:5], id="cut-off-in-the-header"),
    pytest.param(GOOD + b"more", id="something-after-the-end"),
    pytest.param(GOOD[:-8] + bytes(4) + GOOD[-4:], id="wrong-checksum"),
    pytest.param(GOOD[:2000] + bytes(200) + GOOD[2200:], id="zeros-in-the-middle"),
    pytest.param(b"a\n1\n", id="not-gzipped"),
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_gzip_file_is_refused(content):
    """A file that was cut off or changed is never read as a shorter table."""
    assert refusal(content, "t.csv.gz").startswith("damaged gzip file (")


def test_a_gzip_file_may_have_several_members():
    """Files that were gzipped one by one and then joined are one table."""
    content = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,") + gzip.compress(b"4\n") + bytes(8)

    assert texts(read(content, "t.csv.gz")) == AB


def test_a_gzipped_file_under_a_plain_name_is_told_so():
    """The message says to rename it, not that it is not UTF-8."""
    assert refusal(GOOD) == "is gzipped; give it a name ending in .gz"


def test_a_gzipped_empty_file_lacks_a_header():
    """Nothing at all, gzipped or not, is an empty file."""
    assert refusal(gzip.compress(b""), "t.csv.gz").startswith("empty file")
    assert refusal(b"", "t.csv.gz").startswith("empty file")
