"""The HTTP side: metrics, health, and a status page, on a thread of its own."""

from detector.web.server import WebServer

__all__ = ["WebServer"]
