"""Logging: lines for people, or JSON objects for machines, on standard error."""

import json
import logging
import sys

from detector.printable import escaped
from detector.times import format_time

# The Kafka client logs whole requests at DEBUG, passwords included, and every attempt to connect as an
# error for as long as a broker is away; what matters of that the source says itself.
LEAST_LEVEL = {"kafka": logging.CRITICAL, "uvicorn": logging.ERROR, "asyncio": logging.WARNING}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; control characters come out escaped."""
        fields = {
            "time": format_time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        text = json.dumps(fields, ensure_ascii=False)
        # Also what JSON leaves as it is: DEL, C1 controls, line separators, marks that turn text around.
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class TextFormatter(logging.Formatter):
    """`2026-11-23T04:11:05Z WARNING detector.sinks.log: message`: one line, tracebacks indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text; line breaks in it come out escaped, so that nobody can forge a line."""
        text = f"{format_time(record.created)} {record.levelname} {record.name}: {record.getMessage()}"
        lines = [escaped(text)]
        if record.exc_info:
            lines += ["  " + escaped(line) for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


def set_up(level: str, written: str) -> None:
    """Send all logging to standard error, written as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if written == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in LEAST_LEVEL.items():
        logging.getLogger(name).setLevel(max(least, root.level))
