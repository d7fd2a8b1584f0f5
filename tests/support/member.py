"""A member of an election as a program: prints each change of its duty with the monotonic time.

Called as `member.py BOOTSTRAP TOPIC GROUP SESSION_TIMEOUT_S`.
"""

import signal
import sys
import threading
import time

from detector.clock import SystemClock
from detector.sources.kafka_election import KafkaElection
from detector.sources.kafka_settings import KafkaSettings


def main(bootstrap: str, topic: str, group: str, session_timeout_s: str) -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    options = KafkaSettings(bootstrap_servers=[bootstrap], topics=[topic]).client_options
    election = KafkaElection(options, (topic,), group, float(session_timeout_s), SystemClock())
    before: object = "unknown"
    while not stopping.is_set():
        term = election.check()
        if term != before:
            print(time.monotonic(), term.number if term else 0, flush=True)
            before = term
        time.sleep(0.02)
    print(time.monotonic(), 0, flush=True)
    election.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
