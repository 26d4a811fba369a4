"""uvicorn's HTTP/1.1 connection with limits for slow clients, and without Nagle's delay of packets."""

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S = 10.0  # for the head of a request, from the start of the connection or the head's first byte
WRITE_TIMEOUT_S = 20.0  # for a client that does not read
BODY_AT_END_S = 5.0  # for a body that is still arriving when the server is stopped


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which waits for a client, but no longer than these limits. `uploads` limits bodies."""

    _head: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _ends = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does this only for a socket that was made with its protocol's number. Without it the second packet of
        # a response waits for the client's acknowledgement of the first one, 40 ms on Linux.
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering():
            self._end(self._head)
            self._head = None
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end(self._head)
        self._end(self._stuck)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._end(self._stuck)
        self._stuck = self.loop.call_later(WRITE_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end(self._stuck)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; behind a response, such as the rest of a body after 408, it ends the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """End the connection, after the response if one has begun; a second call does nothing."""
        if self._ends:
            return
        self._ends = True
        super().shutdown()
        if self._answering() and self.cycle.more_body:
            self.loop.call_later(BODY_AT_END_S, self._give_up_body)

    def _give_up_body(self) -> None:
        if self._answering() and self.cycle.more_body:
            self.transport.abort()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        if self._head is None and not self.transport.is_closing():
            self._head = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)

    def _give_up(self) -> None:
        self._head = None
        if not self._answering():
            self.transport.abort()

    @staticmethod
    def _end(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
