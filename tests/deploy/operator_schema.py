"""What the Prometheus Operator reads, as strict models: a key that is not known here is a slip of the pen.

Written by hand after monitoring.coreos.com/v1 (its definitions of PodMonitor and PrometheusRule, versions
0.82 and 0.91); only as much of it as is used here.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Strict(BaseModel):
    """Knows its keys, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[
    str, StringConstraints(pattern=r"^(0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$")
]
Count = Annotated[int, Field(ge=1)]


class Metadata(Strict):
    name: Text
    namespace: Text | None = None
    labels: dict[str, str]


class Requirement(Strict):
    key: Text
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[Text] = []


class Selector(Strict):
    matchExpressions: list[Requirement] = Field(min_length=1)


class Relabeling(Strict):
    targetLabel: Text
    replacement: Text


class Endpoint(Strict):
    port: Annotated[str, StringConstraints(pattern="^[a-z0-9-]{1,15}$")]
    path: Text
    interval: Duration
    scrapeTimeout: Duration
    honorLabels: bool
    relabelings: list[Relabeling]


class PodMonitorSpec(Strict):
    selector: Selector
    podMetricsEndpoints: list[Endpoint] = Field(min_length=1)
    sampleLimit: Count
    labelLimit: Count
    labelNameLengthLimit: Count
    labelValueLengthLimit: Count


class PodMonitor(Strict):
    apiVersion: Literal["monitoring.coreos.com/v1"]
    kind: Literal["PodMonitor"]
    metadata: Metadata
    spec: PodMonitorSpec


class Rule(Strict):
    record: Text | None = None
    alert: Text | None = None
    expr: Text
    wait: Duration | None = Field(None, alias="for")
    keep_firing_for: Duration | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_of_both(self) -> "Rule":
        if (self.record is None) == (self.alert is None):
            raise ValueError("a rule either records or alerts")
        return self


class Group(Strict):
    name: Text
    interval: Duration | None = None
    rules: list[Rule]


class RuleSpec(Strict):
    groups: list[Group] = Field(min_length=1)


class PrometheusRule(Strict):
    apiVersion: Literal["monitoring.coreos.com/v1"]
    kind: Literal["PrometheusRule"]
    metadata: Metadata
    spec: RuleSpec
