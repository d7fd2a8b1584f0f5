"""The payloads of model servers, as rows: what a request asks about, what a response answers.

One payload holds n rows. Whatever its shape, a reader makes a `Table` of it: n rows of cells by name.
Cells are as JSON has them; their types are looked at later. Sources:

- v1: https://www.tensorflow.org/tfx/serving/api_rest, which KServe's v1 protocol follows;
- v2, the Open Inference Protocol: https://github.com/kserve/open-inference-protocol
  (specification/protocol/inference_rest.md);
- Seldon: https://github.com/SeldonIO/seldon-core (doc/source/reference/apis/prediction.md).
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any, NamedTuple

from detector.batch import Role
from detector.formats.event_plan import Rejected

MAX_DIMENSIONS = 8

_ONE_ROW = ([1, 1], [1])

UNNAMED = ""
"""The name of the only column of a payload that names none."""


class Table(NamedTuple):
    """What a payload tells of."""

    role: Role
    rows: Sequence[Mapping[str, Any]]


class Names(NamedTuple):
    """Names for payloads that have none, in the order of their columns; empty where nobody knows."""

    feature: Sequence[str] = ()
    prediction: Sequence[str] = ()
    max_rows: int = 10_000
    """Rows of one payload. A name for each cell of a row takes a hundred times the bytes that it came in."""

    def check(self, n_rows: int) -> None:
        """Turn away a payload of too many rows, before they are made.

        Raises:
            Rejected: it is too large.
        """
        if n_rows > self.max_rows:
            raise Rejected("too_large")


def read_inference(data: Mapping[str, Any], role: Role | None, names: Names) -> Table:
    """Return the rows of a v1 or v2 payload; `role` says which side it is of, None: it shows by itself.

    Raises:
        Rejected: there are none.
    """
    sides: tuple[tuple[Role, str, str], ...] = (
        ("feature", "inputs", "instances"),
        ("prediction", "outputs", "predictions"),
    )
    for side, tensors, rows in sides:
        if role in (None, side):
            if rows in data:
                return _table(side, data[rows], names)
            # A request may also say which outputs it wants: then it still has inputs, which come first.
            if tensors in data:
                return _tensors(side, data[tensors], names)
    raise Rejected("not_an_object")


def read_seldon(data: Mapping[str, Any], role: Role | None, names: Names) -> Table:
    """Return the rows of a SeldonMessage, `{"data": {"names": [...], "ndarray" or "tensor": ...}}`.

    Raises:
        Rejected: there are none, or nothing says of which side they are.
    """
    content = data.get("data")
    if not isinstance(content, dict) or role is None:
        raise Rejected("not_an_object")
    own = content.get("names")
    named = own if isinstance(own, list) and set(map(type, own)) == {str} else None
    known = named or getattr(names, role)
    if isinstance(content.get("tensor"), dict):
        tensor = content["tensor"]
        n, width, cells = _cells(tensor.get("shape"), tensor.get("values"))
        names.check(n)
        return Table(role, _named(_striped(cells, width), width, known))
    return _table(role, content.get("ndarray"), Names(known, known, names.max_rows))


def _table(role: Role, rows: object, limits: Names) -> Table:
    """Return rows that are objects, or lists of as many cells as there are names, or single cells."""
    if not isinstance(rows, list) or not rows:
        raise Rejected("not_an_object")
    limits.check(len(rows))
    names = getattr(limits, role)
    kinds = set(map(type, rows))
    if kinds == {dict}:
        return Table(role, rows)
    if kinds == {list}:
        widths = set(map(len, rows))
        return Table(role, _named(rows, widths.pop() if len(widths) == 1 else 0, names))
    if kinds & {dict, list}:
        raise Rejected("not_an_object")
    return Table(role, _named([[cell] for cell in rows], 1, names))


def _tensors(role: Role, tensors: object, limits: Names) -> Table:
    """Return tensors: each is a column called like it, or the only one has a column for each name."""
    if not isinstance(tensors, list) or not tensors:
        raise Rejected("not_an_object")
    names = getattr(limits, role)
    if len(tensors) == 1 and names:
        _, n, width, cells = _tensor(tensors[0])
        limits.check(n)
        return Table(role, _named(_striped(cells, width), width, names))
    row = _one_row(tensors)
    if row is not None:
        return Table(role, [row])
    columns: dict[str, Sequence[Any]] = {}
    for tensor in tensors:
        name, n, width, cells = _tensor(tensor)
        limits.check(n)
        if width != 1 or name in columns:
            raise Rejected("not_an_object")
        columns[name] = cells
    if len(set(map(len, columns.values()))) != 1:
        raise Rejected("not_an_object")
    return Table(role, [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def _tensor(tensor: object) -> tuple[str, int, int, list[Any]]:
    """Return the name of a tensor, its rows, its cells a row, and the cells row by row."""
    if not isinstance(tensor, dict):
        raise Rejected("not_an_object")
    name, shape, data = tensor.get("name"), tensor.get("shape"), tensor.get("data")
    if not isinstance(name, str):
        raise Rejected("not_an_object")
    return name, *_cells(shape, data)


def _one_row(tensors: list[Any]) -> dict[str, Any] | None:
    """Return what tensors of one cell each hold, the usual case; None where they are anything else."""
    try:
        names = [tensor["name"] for tensor in tensors]
        if not all(tensor["shape"] in _ONE_ROW for tensor in tensors):
            return None
        cells = [cell for tensor in tensors for (cell,) in (tensor["data"],)]
        kinds = {type(tensor["data"]) for tensor in tensors}
    except (TypeError, KeyError, ValueError):
        return None
    if kinds != {list} or list in set(map(type, cells)) or set(map(type, names)) != {str}:
        return None
    row = dict(zip(names, cells, strict=True))
    return row if len(row) == len(names) else None


def _cells(shape: object, data: object) -> tuple[int, int, list[Any]]:
    """Return the number of rows of a tensor, of cells a row, and the cells row by row.

    The data may be flat or nested, as the protocol has it. A shape is believed as far as there are cells.
    """
    if not isinstance(shape, list) or not isinstance(data, list) or len(shape) > MAX_DIMENSIONS:
        raise Rejected("not_an_object")
    if any(type(size) is not int or size < 1 for size in shape):
        raise Rejected("not_an_object")
    for _ in shape[1:]:
        if data and type(data[0]) is list and set(map(type, data)) == {list}:
            data = list(chain.from_iterable(data))
    n, width = (shape[0], prod(shape[1:])) if shape else (1, 1)
    if n * width != len(data):
        raise Rejected("not_an_object")
    return n, width, data


def _striped(cells: list[Any], width: int) -> list[list[Any]]:
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def _named(rows: Sequence[Sequence[Any]], width: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows of so many cells with names; a single cell may do without."""
    if width == 1 and not names:
        names = (UNNAMED,)
    if width < 1 or width != len(names) or len(set(names)) != width:
        raise Rejected("not_an_object")
    return [dict(zip(names, row, strict=True)) for row in rows]
