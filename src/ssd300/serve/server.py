"""uvicorn's server, which also ends the connections that come in the moment of its end."""

import asyncio
import socket

import uvicorn

LOOKS_EVERY_S = 0.1


class Server(uvicorn.Server):
    """At its end uvicorn ends the connections that it has, and waits until all are gone.

    One that was accepted a moment before may not be among them. Its client, such as a page that asks every few seconds,
    would keep it open, and the server with it, until the time limit.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        late = asyncio.create_task(self._end_late_connections())
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()

    async def _end_late_connections(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            for connection in list(self.server_state.connections):
                connection.shutdown()
