"""`status`: how a running detector is, on the terminal."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from detector.clock import Clock

EXAMPLES = """\
examples:
  drift-detector status
  drift-detector status --watch
  drift-detector status --url http://10.0.0.7:9723 --format json

Asks /api/v1/status. A * marks drift that an alert tells of; other features in the list are near it.
"""

PATH = "/api/v1/status"
DEFAULT_URL = "http://127.0.0.1:9723"
EVERY_S = 2.0
TIMEOUT_S = 5.0
MAX_BYTES = 8 << 20

CLEAR = "\x1b[H\x1b[2J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--url", default=DEFAULT_URL, help=f"where it serves (default {DEFAULT_URL})")
    parser.add_argument("--watch", action="store_true", help="look every two seconds, until Ctrl-C")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Look once, or until Ctrl-C."""
    from detector.clock import SystemClock

    record = fetch(options.url)
    if not options.watch:
        sys.stdout.write(_shown(record, None, options.format) + "\n")
        return 0
    # Ctrl-C is how watching is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        watch(options.url, options.format, record, SystemClock())
    return 0


def watch(url: str, written: str, first: Any, clock: Clock) -> NoReturn:
    """Show a status again and again; an instance that goes away may come back."""
    from detector.errors import InputError

    before, text = None, _shown(first, None, written)
    record = first
    while True:
        is_screen = written == "text" and sys.stdout.isatty()
        sys.stdout.write((CLEAR if is_screen else "") + text + "\n")
        sys.stdout.flush()
        clock.sleep(EVERY_S)
        try:
            before, record = record, fetch(url)
            text = _shown(record, before, written)
        except InputError as error:
            text = json.dumps({"error": str(error)}) if written == "json" else str(error)


def fetch(url: str) -> Any:
    """Return the status that an instance gives.

    Raises:
        InputError: nothing answers there, or something else does.
    """
    from detector.errors import InputError

    if not _is_address(url):
        raise InputError(f"--url {url}: no address; write it like {DEFAULT_URL}")
    # Straight there: an instance on this machine is behind no proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url.rstrip("/") + PATH, timeout=TIMEOUT_S) as answer:
            record = json.loads(answer.read(MAX_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise InputError(f"{url}: answers {error.code} to {PATH}; is it a drift detector, and up?") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise InputError(f"{url}: no answer ({reason}); is it running? name another with --url") from None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or "uptime_s" not in record:
        raise InputError(f"{url}: answers, but not as a drift detector; name another with --url")
    return record


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _shown(record: Any, before: Any, written: str) -> str:
    """Return a status as it is printed: JSON in one line, or text in which nothing moves the cursor."""
    from detector.errors import InputError
    from detector.printable import printable
    from detector.report.status import status_text

    if written == "json":
        return json.dumps(record)
    try:
        text = status_text(record, before)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise InputError("--url: what answers there is no drift detector of this version") from None
    return "\n".join(map(printable, text.split("\n")))
