"""A TCP proxy that can be cut, before one process of the product or several."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable
from typing import Any

from tests.service.ports import free_port


class Line:
    """A TCP proxy that can be cut: open connections end, new ones are refused, until it is mended.

    Before several ports it takes them in turn, and passes over one where nobody listens.
    """

    def __init__(self, *to_ports: int, port: int | None = None) -> None:
        self._to = to_ports
        self._turn = itertools.count()
        self.port = port or free_port()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        with self._lock:
            self._listener = listener
        self._begin(self._take, listener)

    def cut(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
            ends, self._open = list(self._open), set()
        for end in ([listener] if listener else []) + ends:
            self._close(end)

    def close(self) -> None:
        self.cut()
        for thread in self._threads:
            thread.join(timeout=5)

    def _begin(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _close(end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = self._reach()
            if far is None:
                self._close(near)
                continue
            with self._lock:
                cut = self._listener is not listener
                if not cut:
                    self._open |= {near, far}
            if cut:
                self._close(near)
                self._close(far)
                return
            self._begin(self._pump, near, far)
            self._begin(self._pump, far, near)

    def _reach(self) -> socket.socket | None:
        first = next(self._turn)
        for step in range(len(self._to)):
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._to[(first + step) % len(self._to)]))
        return None

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with self._lock:
            self._open -= {source, sink}
        self._close(source)
        self._close(sink)
