"""A proxy between a client and a server that does to their bytes what networks do.

It runs an asyncio loop on a thread of its own. Faults can be changed while connections are open.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.processes import free_port

PIECE = 1 << 16


class TcpProxy:
    """Listens on `port` and passes everything on to 127.0.0.1:`target`."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self.latency_s = 0.0
        """Everything comes so much later."""
        self.trickle: int | None = None
        """Bytes that pass every 10 ms; None: all."""
        self.is_black_hole = False
        """Bytes are taken and go nowhere; connections stay."""
        self.reset_after: int | None = None
        """Connections are reset once, after so many bytes to the client."""
        self.change: Callable[[bytes], bytes] | None = None
        """Applied to every piece that goes to the client."""
        self.n_connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection there is."""
        self._run(self._reset_all())

    def _run(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        self._server.close()
        await self._reset_all()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reset_all(self) -> None:
        for writer in self._writers:
            _reset(writer)
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        self.n_connections += 1
        both = {writer, to_server[1]}
        self._writers |= both
        try:
            await asyncio.gather(
                self._pass_on(reader, to_server[1], is_answer=False),
                self._pass_on(to_server[0], writer, is_answer=True),
            )
        except OSError:
            pass
        finally:
            self._writers -= both
            for one in both:
                one.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        while data := await reader.read(self.trickle or PIECE):
            await asyncio.sleep(0.01 if self.trickle else self.latency_s)
            if self.is_black_hole:
                continue
            if is_answer and self.change is not None:
                data = self.change(data)
            if is_answer and self.reset_after is not None:
                writer.write(data[: self.reset_after])
                await writer.drain()
                self.reset_after = None
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close as a network that fails does, not in good order."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
