"""CloudEvents as they lie in Kafka: the attributes of an event, and its data.

In *binary* mode the attributes are headers called `ce_id`, `ce_type`, ... and the value is the data. In
*structured* mode the value is a JSON object of attributes, with the data under `data` or `data_base64`.
Sources: https://github.com/cloudevents/spec (bindings/kafka-protocol-binding.md, formats/json-format.md,
version 1.0).
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from detector.formats.event_plan import Rejected
from detector.formats.json_events import Json

PREFIX = "ce_"
CONTENT_TYPE = "content-type"
STRUCTURED = b"application/cloudevents"
DATA = ("data", "data_base64")

_document = Json().document


class CloudEvent(NamedTuple):
    """One event; without attributes the record is none, and `data` is its value all the same."""

    attributes: Mapping[str, object]
    data: object


def read_cloud_event(value: bytes, headers: Mapping[str, bytes], wanted: Sequence[str]) -> CloudEvent:
    """Return the event in a record whose data are JSON, with those of its attributes that are wanted.

    Raises:
        Rejected: the value or the data are not JSON.
    """
    document = _document(value)
    if headers.get(CONTENT_TYPE, b"").lower().startswith(STRUCTURED):
        return _structured(document)
    attributes = {
        name: headers[PREFIX + name].decode("utf-8", "replace") for name in wanted if PREFIX + name in headers
    }
    # The header that says so gets lost where records are copied from one cluster to another.
    if not attributes and isinstance(document, dict) and "specversion" in document:
        return _structured(document)
    return CloudEvent(attributes, document)


def _structured(document: object) -> CloudEvent:
    if not isinstance(document, dict):
        raise Rejected("not_an_object")
    attributes = {name: value for name, value in document.items() if name not in DATA}
    encoded = document.get("data_base64")
    if encoded is None:
        return CloudEvent(attributes, document.get("data"))
    try:
        return CloudEvent(attributes, _document(b64decode(encoded, validate=True)))
    except (binascii.Error, TypeError, ValueError):
        raise Rejected("undecodable") from None
