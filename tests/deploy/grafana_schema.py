"""What Grafana reads, as strict models: a key that is not known here is a slip of the pen.

Written after Grafana's classic dashboard model (schemaVersion 39) and its provisioning of alerting; only
as much of it as is used here.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Strict(BaseModel):
    """Knows its keys, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, StringConstraints(min_length=1)]
RefId = Annotated[str, StringConstraints(pattern="^[A-Z]$")]


class DataSource(Strict):
    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class Place(Strict):
    x: int = Field(ge=0, lt=24)
    y: int = Field(ge=0)
    w: int = Field(ge=1, le=24)
    h: int = Field(ge=1)


class Target(Strict):
    refId: RefId
    datasource: DataSource
    editorMode: Literal["code"]
    expr: Text
    legendFormat: Text
    instant: bool
    range: bool
    format: Literal["time_series", "table"]


class Threshold(Strict):
    color: Text
    value: float | int | None


class Thresholds(Strict):
    mode: Literal["absolute"]
    steps: list[Threshold] = Field(min_length=1)


class DataLink(Strict):
    title: Text
    url: Annotated[str, StringConstraints(pattern="^/d/")]


class Defaults(Strict):
    unit: Literal["none", "short", "s", "reqps", "percentunit"]
    thresholds: Thresholds
    mappings: list[dict[str, Any]] = []
    custom: dict[str, Any] = {}
    links: list[DataLink] = []


class Property(Strict):
    id: Literal[
        "unit", "mappings", "thresholds", "links", "decimals", "min", "max",
        "custom.cellOptions", "custom.lineStyle", "custom.fillOpacity",
    ]  # fmt: skip
    value: Any


class Matcher(Strict):
    id: Literal["byName", "byRegexp"]
    options: Text


class Override(Strict):
    matcher: Matcher
    properties: list[Property] = Field(min_length=1)


class FieldConfig(Strict):
    defaults: Defaults
    overrides: list[Override]


class Transformation(Strict):
    id: Literal["merge", "organize"]
    options: dict[str, Any]


class RowPanel(Strict):
    id: int
    type: Literal["row"]
    title: Text
    collapsed: Literal[False]
    panels: list[Any] = Field(max_length=0)
    gridPos: Place


class AlertList(Strict):
    id: int
    type: Literal["alertlist"]
    title: Text
    description: str
    options: dict[str, Any]
    gridPos: Place


class Panel(Strict):
    id: int
    type: Literal["stat", "timeseries", "state-timeline", "status-history", "table"]
    title: Text
    description: str
    datasource: DataSource
    targets: list[Target] = Field(min_length=1)
    fieldConfig: FieldConfig
    options: dict[str, Any]
    gridPos: Place
    transformations: list[Transformation] = []
    repeat: str | None = None
    repeatDirection: Literal["h", "v"] | None = None
    maxPerRow: int | None = None


class VariableQuery(Strict):
    query: Text
    refId: Text


class Variable(Strict):
    type: Literal["datasource", "query", "textbox"]
    name: Text
    label: Text
    query: VariableQuery | str
    current: dict[str, Any]
    options: list[dict[str, Any]]
    hide: int
    skipUrlSync: bool
    datasource: DataSource | None = None
    definition: str | None = None
    regex: str | None = None
    refresh: int | None = None
    sort: int | None = None
    multi: bool | None = None
    includeAll: bool | None = None
    allValue: str | None = None


class Annotation(Strict):
    name: Text
    datasource: DataSource
    enable: bool
    hide: bool
    iconColor: Text
    expr: Text
    step: Text
    titleFormat: Text
    textFormat: Text
    tagKeys: str
    useValueForTime: Literal["on", "off"]


class Link(Strict):
    type: Literal["link"]
    title: Text
    url: Text
    icon: Text
    targetBlank: bool
    keepTime: bool
    includeVars: bool
    asDropdown: bool
    tags: list[str]
    tooltip: str


class AnnotationList(Strict):
    list: list[Annotation]


class VariableList(Strict):
    list: list[Variable]


class Dashboard(Strict):
    uid: Annotated[str, StringConstraints(pattern="^[a-z-]{1,40}$")]
    title: Text
    description: Text
    tags: list[str]
    schemaVersion: int = Field(ge=39, le=42)
    version: int
    editable: bool
    graphTooltip: int
    timezone: Literal["browser"]
    refresh: Text
    time: dict[Literal["from", "to"], str]
    timepicker: dict[str, Any]
    fiscalYearStartMonth: int
    weekStart: str
    annotations: AnnotationList
    templating: VariableList
    links: list[Link]
    panels: list[RowPanel | AlertList | Panel]


class TimeRange(Strict):
    from_: int = Field(alias="from")
    to: int


class Data(Strict):
    refId: RefId
    relativeTimeRange: TimeRange
    datasourceUid: Text
    model: dict[str, Any]


class Notifications(Strict):
    receiver: Text
    group_by: list[str]


class ManagedRule(Strict):
    """A rule; `keepFiringFor` beside `notification_settings` is Grafana's own spelling."""

    uid: Annotated[str, StringConstraints(pattern="^[a-z-]{1,40}$")]
    title: Text
    condition: RefId
    data: list[Data] = Field(min_length=2)
    noDataState: Literal["NoData", "Alerting", "OK", "KeepLast"]
    execErrState: Literal["Error", "Alerting", "OK", "KeepLast"]
    for_: Text = Field(alias="for")
    keepFiringFor: Text
    isPaused: bool
    dashboardUid: Text
    panelId: int
    annotations: dict[str, str]
    labels: dict[str, str]
    notification_settings: Notifications


class ManagedGroup(Strict):
    orgId: int
    name: Text
    folder: Text
    interval: Text
    rules: list[ManagedRule]


class Receiver(Strict):
    uid: Text
    type: Literal["webhook"]
    settings: dict[Literal["url", "httpMethod"], str]
    disableResolveMessage: bool


class ContactPoint(Strict):
    orgId: int
    name: Text
    receivers: list[Receiver]


class Alerting(Strict):
    apiVersion: Literal[1]
    groups: list[ManagedGroup]
    contactPoints: list[ContactPoint]
