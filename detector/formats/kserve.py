"""KServe's inference logger: requests and responses as CloudEvents, in KServe's v1 or v2 protocol.

The type ends in `inference.request` or `inference.response`; the attribute `inferenceservicename` is the
model, `endpoint` is default or canary, and the time is when it was logged. The logger sends events over
HTTP; what carries them into Kafka (a Knative broker or sink) keeps to the Kafka binding of CloudEvents.
Source: https://github.com/kserve/kserve (pkg/logger/worker.go, pkg/logger/handler.go).
"""

from detector.formats.base import Catalog, EventOptions, formats
from detector.formats.inference_log import InferenceLog, InferenceSettings
from detector.formats.payloads import read_inference


@formats.register("kserve", InferenceSettings)
def kserve(options: EventOptions, catalog: Catalog) -> InferenceLog:
    """Make a decoder of KServe's logs."""
    return InferenceLog(options, catalog, read_inference)
