"""The payloads of model servers, as columns: what a request asks about, what a response answers.

One payload holds n rows. Whatever its shape, a reader makes a `Table` of it: n cells by column name.
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
from detector.formats.pointers import MISSING

MAX_DIMENSIONS = 8

UNNAMED = ""
"""The name of the only column of a payload that names none."""


class Table(NamedTuple):
    """What a payload tells of: n rows of named cells, `MISSING` where a row has none."""

    role: Role
    n: int
    columns: Mapping[str, Sequence[Any]]


class Names(NamedTuple):
    """Names for payloads that have none, in the order of their columns; empty where nobody knows."""

    feature: Sequence[str] = ()
    prediction: Sequence[str] = ()


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
                return _table(side, data[rows], getattr(names, side))
            # A request may also say which outputs it wants: then it still has inputs, which come first.
            if tensors in data:
                return _tensors(side, data[tensors], getattr(names, side))
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
    named = own if isinstance(own, list) and own and all(isinstance(n, str) for n in own) else None
    known = named or getattr(names, role)
    if isinstance(content.get("tensor"), dict):
        tensor = content["tensor"]
        n, width, cells = _cells(tensor.get("shape"), tensor.get("values"))
        return Table(role, n, _by_name(_striped(cells, width), known))
    return _table(role, content.get("ndarray"), known)


def _table(role: Role, rows: object, names: Sequence[str]) -> Table:
    """Return rows that are objects, or lists of as many cells as there are names, or single cells."""
    if not isinstance(rows, list) or not rows:
        raise Rejected("not_an_object")
    kinds = set(map(type, rows))
    if kinds == {dict}:
        keys = dict.fromkeys(chain.from_iterable(rows))
        return Table(role, len(rows), {key: [row.get(key, MISSING) for row in rows] for key in keys})
    if kinds == {list}:
        widths = set(map(len, rows))
        if len(widths) != 1:
            raise Rejected("not_an_object")
        return Table(role, len(rows), _by_name(list(zip(*rows, strict=True)), names))
    if kinds & {dict, list}:
        raise Rejected("not_an_object")
    return Table(role, len(rows), _by_name([rows], names))


def _tensors(role: Role, tensors: object, names: Sequence[str]) -> Table:
    """Return tensors: each is a column called like it, or the only one has a column for each name."""
    if not isinstance(tensors, list) or not tensors:
        raise Rejected("not_an_object")
    columns: dict[str, Sequence[Any]] = {}
    sizes = set()
    for tensor in tensors:
        if not isinstance(tensor, dict) or not isinstance(name := tensor.get("name"), str):
            raise Rejected("not_an_object")
        n, width, cells = _cells(tensor.get("shape"), tensor.get("data"))
        sizes.add(n)
        if width == 1 and name not in columns and not (len(tensors) == 1 and len(names) == 1):
            columns[name] = cells
        elif len(tensors) == 1:
            columns = _by_name(_striped(cells, width), names)
        else:
            raise Rejected("not_an_object")
    if len(sizes) != 1:
        raise Rejected("not_an_object")
    return Table(role, sizes.pop(), columns)


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
    return [cells[i::width] for i in range(width)]


def _by_name(columns: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """Return columns by name; a single one may do without."""
    if len(columns) == len(names) == len(set(names)):
        return dict(zip(names, columns, strict=True))
    if len(columns) == 1 and not names:
        return {UNNAMED: columns[0]}
    raise Rejected("not_an_object")
