"""`make stack`: everything between a model's events and the people who are told, running on this machine.

    traffic    a day of a model's events, with two shifts in it, sent through Kafka in a minute
    parts      Apache Kafka, the detector, Prometheus, Alertmanager and a receiver, as plain processes
    watching   what each of them says, as it says it
    verdict    whether both shifts went the whole way, and nothing else did

The files of `deploy/` are used as they are, but for addresses and for the pace: a scrape each second, and
minutes of `keep_firing_for`, `group_wait` and `group_interval` that last 0.4 s.
"""
