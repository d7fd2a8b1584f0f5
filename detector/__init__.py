"""The streaming drift detector, along the path of an event.

    source -> decode -> panes -> windows -> drift -> alerts -> exports

A module imports only what lies below it; contracts in pyproject.toml enforce that. Below the line
nothing does I/O, reads a clock or logs: values in, values out.

    cli/                       commands and exit codes
    demo/                      the main job on shipped data, for a first look
    service                    the loop: poll, decode, feed, publish
    assembly                   the parts put together as the configuration says
    config/                    YAML to checked settings
    sources/ sinks/ tables/ metrics/ web/ store    all I/O: Kafka, files, Prometheus, HTTP
    ------------------------------------------------------------------------------------
    view                       frozen picture for readers on other threads
    pipeline                   feed(events) -> outcome; owns windows, alert book, counters
    alerts                     ok -> pending -> firing -> resolved
    drift/                     window x baseline -> statistics, state, contributors
    baseline/                  the baseline's model and its builder
    windows/                   watermark, panes, sliding sums
    profile/                   binning and profiles: the sketches of one set of events
    formats/ distances/        bytes -> columns; counts -> distance, one file each
    batch columns anomaly times registry clock errors    records and vocabulary
"""

__version__ = "0.1.0"
