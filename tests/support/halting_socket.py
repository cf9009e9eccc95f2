"""A unix socket before a server's own, through which a program talks to it until it asks for a certain thing: the answer stands still."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer

CHUNK_BYTES = 1 << 16
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Halt:
    """What is waited for on both sides: that the answer stands still, and that it may go on."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def halting(server: Path, at: Path, query: bytes, *, after_bytes: int) -> Iterator[Halt]:
    """Listen at a path for programs of root; whoever sends the query gets so much of the answer, until the block ends."""
    halt = Halt()

    class Passing(BaseRequestHandler):
        def handle(self) -> None:
            answered = list[int]()

            def look_at(said: bytes) -> None:
                if query in said:
                    answered.append(0)

            def wait(said: bytes) -> None:
                if answered and answered[0] >= after_bytes:
                    halt.reached.set()
                    halt.go_on.wait()
                if answered:
                    answered[0] += len(said)

            with socket.socket(socket.AF_UNIX) as far:
                far.connect(str(server))
                answering = threading.Thread(target=_pass_on, args=(far, self.request, wait))
                answering.start()
                _pass_on(self.request, far, look_at)
                answering.join()

    with ThreadingUnixStreamServer(str(at), Passing) as listening:
        serving = threading.Thread(target=listening.serve_forever, args=(POLL_SECONDS,))
        serving.start()
        try:
            yield halt
        finally:
            halt.go_on.set()
            listening.shutdown()
            serving.join()


def _pass_on(source: socket.socket, target: socket.socket, first: Callable[[bytes], None]) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            first(chunk)
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
