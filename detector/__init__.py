"""The streaming drift detector, along the path of an event.

    source -> decode -> panes -> windows -> drift -> alerts -> exports

A module imports only what lies below it; contracts in pyproject.toml enforce that. Below the line
nothing does I/O, reads a clock or logs: values in, values out.

    cli/                       commands and exit codes
    demo/                      the main job on shipped data, for a first look
    reload                     configuration and baselines read again while the service runs
    assembly                   the parts put together as the configuration says
    config/                    YAML to checked settings
    web/                       HTTP: metrics, health, pages, JSON API
    service, replay/           the loop over a live source; the same over recorded events
    resume                     going on where an earlier run, or another replica, stood
    changes, telling, silence  changes of the configuration; sinks told by the active one; idle partitions
    sources/ sinks/ state/ tables/ metrics/ report/ logs    Kafka, files, Prometheus, text: all I/O
    dead_letters               rejected records, sent on to a topic of their own
    watchdog                   ends the process when it is stuck or too large
    store, kinds, brokers      baseline files; parts that are configured by `kind: NAME`; Kafka's addresses
    oauth                      tokens for the brokers
    ------------------------------------------------------------------------------------
    skew/                      two data sets joined by id: which values differ
    drawing/                   numbers -> SVG, and the one stylesheet; of the pages and of the report
    tune/                      rehearsal on recorded events: which settings would have alarmed
    view, notice               frozen picture for readers on other threads; what sinks are told
    action                     what to do about an alert
    pipeline                   feed(events) -> outcome; owns windows, alert book, counters
    outcome                    what comes out of it: evaluations, transitions of alerts
    watched                    one model version: its windows, how they are judged and explained
    following                  alerts that go on: size now, onset told again
    anomaly_alerts, counters   anomalies of windows -> alerts; what happened, counted
    past_alerts                alerts that are over, for people who look later
    alerts                     ok -> pending -> firing -> resolved
    runs                       runs of drifting and calm windows
    statistic_history          how the statistics went over the last day, for people
    drift/                     window x baseline -> statistics, state, contributors
    baseline/                  the baseline's model and its builder
    windows/                   watermark, panes, sliding sums
    profile/                   binning and profiles: the sketches of one set of events
    schema/                    what data should look like: inference, rules, anomalies
    summary/                   descriptive statistics of a data set, column by column
    formats/ distances/ columns    bytes -> columns; counts -> distance, one file each
    tree                       what is remembered, as plain values
    batch anomaly times registry clock secret printable errors    records and vocabulary
"""

__version__ = "0.1.0"
