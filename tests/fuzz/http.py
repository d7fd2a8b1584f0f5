"""Bytes on a connection: answers of the documented kinds and nothing else, and no page without the token."""

import asyncio
import logging
import re
import socket
from functools import cache

import uvicorn
from pydantic import SecretStr
from uvicorn.server import ServerState

from detector.web import WebServer
from detector.web.connections import Crowd, LimitedProtocol, Limits
from detector.web.protection import Protection
from tests.support.pages import page_of

TOKEN = b"tokentoken0"
STATUSES = {200, 400, 401, 404, 405, 414, 422, 431}


@cache
def _config() -> uvicorn.Config:
    """How the real server is set up, over a page of a few series."""
    metrics = page_of([{"amount": float(i % 100)} for i in range(200)])
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0, Protection(token=SecretStr(TOKEN.decode())))
    config = server._server.config
    config.load()
    return config


class _Heard(logging.Handler):
    """Keeps what the server logs of errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


async def _answers(data: bytes, heard: _Heard) -> bytes:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.lines.append(str(context)))
    ours, theirs = socket.socketpair()
    state = ServerState()
    protocol = LimitedProtocol(
        Crowd(Limits()), config=_config(), server_state=state, app_state={}, _loop=loop
    )
    reader, writer = await asyncio.open_connection(sock=theirs)
    transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
    received = asyncio.create_task(reader.read())
    middle = len(data) // 2
    for part in (data[:middle], data[middle:]):
        if part and not transport.is_closing():
            protocol.data_received(part)
        while state.tasks:
            await asyncio.wait(set(state.tasks))
    transport.close()
    answer = await received
    writer.close()
    await asyncio.sleep(0)
    return answer


def request(data: bytes) -> None:
    """Send bytes in two parts to the protocol that the server has, over a real connection."""
    heard = _Heard()
    log = logging.getLogger("uvicorn.error")
    log.addHandler(heard)
    try:
        answer = asyncio.run(_answers(data, heard))
    finally:
        log.removeHandler(heard)
    assert not heard.lines, heard.lines
    assert not answer or answer.startswith(b"HTTP/1.1 "), answer[:80]
    found = {int(code) for code in re.findall(rb"^HTTP/1\.1 (\d{3}) ", answer, re.MULTILINE)}
    assert found <= STATUSES, found
    assert b"drift_" not in answer or TOKEN in data, "a page without the token"
