"""Seldon Core's request logger: SeldonMessages, or Open Inference Protocol payloads.

Sent over HTTP they are CloudEvents like KServe's, with types `io.seldon.serving.inference.request` and
so on. The logger that writes to Kafka itself has the same attributes as headers without a prefix, and no
time: then the record's counts. Feedback brings the truth for an earlier event, and is counted as a label.
Source: https://github.com/SeldonIO/seldon-core (executor/logger/worker.go).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from detector.batch import Role
from detector.formats.base import Catalog, EventOptions, formats
from detector.formats.cloud_events import CloudEvent, read_cloud_event
from detector.formats.inference_log import InferenceLog, InferenceSettings
from detector.formats.payloads import Names, Table, read_inference, read_seldon

HEADERS = ("type", "modelid", "requestid", "inferenceservicename", "namespace", "endpoint", "protocol")


def _open(value: bytes, headers: Mapping[str, bytes], wanted: Sequence[str]) -> CloudEvent:
    attributes, data = read_cloud_event(value, headers, wanted)
    if not attributes:
        plain = ((name, headers[name]) for name in HEADERS if name in headers and name in wanted)
        attributes = {name: text.decode("utf-8", "replace") for name, text in plain}
    return CloudEvent(attributes, data)


def _read(data: Mapping[str, Any], role: Role | None, names: Names) -> Table:
    return read_seldon(data, role, names) if "data" in data else read_inference(data, role, names)


@formats.register("seldon", InferenceSettings)
def seldon(options: EventOptions, catalog: Catalog) -> InferenceLog:
    """Make a decoder of Seldon Core's logs."""
    return InferenceLog(options, catalog, _read, _open)
