"""A repository on another machine: its network is cut, its server ends, its power is cut."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread, Timer
from typing import Any

from tests.faults.backup_disk import after_power_cut, disk_with_power, power_off
from tests.faults.backup_stage import Stage
from tests.support.backup_log import base
from tests.support.backup_world import Run, receiving
from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.house import wait_for
from tests.support.rest_server import append_only_server, free_port

HOST = "127.0.0.1"
CUT_SECONDS = 4.0
DEADLINE_SECONDS = 10
SHIPPED_WITHIN_SECONDS = 120


class Cable:
    """Leads from a port to that of a server, until it is cut."""

    def __init__(self, to_port: int) -> None:
        """Nothing is connected yet."""
        self.to_port, self.port = to_port, free_port()
        self._server: _Server | None = None

    def mend(self) -> None:
        """Lead there."""
        self._server = _Server((HOST, self.port), _Wire)
        self._server.to_port = self.to_port
        Thread(target=self._server.serve_forever, daemon=True).start()

    def cut(self) -> None:
        """End every connection; there will be no new one."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        for end in self._server.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._server = None


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    to_port = 0

    def __init__(self, *of: Any) -> None:
        self.ends: list[socket.socket] = []
        super().__init__(*of)


class _Wire(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection((HOST, self.server.to_port)) as far:
            self.server.ends += [self.request, far]
            back = Thread(target=_pump, args=(far, self.request), daemon=True)
            back.start()
            _pump(self.request, far)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@dataclass(kw_only=True)
class Far:
    """The other machine: where its disk is, the cable that leads there, and what a host is told of its repository."""

    disk: Path
    cable: Cable
    repository: dict[str, Any]
    serving: ExitStack

    def end(self) -> None:
        """Its server ends."""
        self.serving.close()

    def begin(self) -> None:
        """It is started again."""
        self.serving.enter_context(append_only_server(self.disk, port=self.cable.to_port))


@contextmanager
def far_machine(stage: Stage, disk: Path) -> Iterator[Far]:
    """A repository there that holds what is good, too."""
    cable = Cable(free_port())
    cable.mend()
    far = Far(disk=disk, cable=cable, repository=stage.world.repository_at(cable.port), serving=ExitStack())
    try:
        far.begin()
        copied = stage.world.run("copy", repository=far.repository, source=stage.world.repository)
        assert copied.code == 0, copied
        make_opening_cheap(disk / "crm", stage.world.password_file.read_text().strip())
        yield far
    finally:
        far.end()
        cable.cut()


def backed_up(stage: Stage, far: Far, while_held: Callable[[], None], **more: Any) -> Run:
    """Back up there; meanwhile, with the dump in the middle, something happens."""
    stage.write()
    held = stage.now()
    with stage.world.cluster.dump_held("tb_live") as other:
        process = stage.world.start("backup", {**stage.world.backup_spec("p3"), "repository": far.repository, **more})
        stage.world.cluster.wait_until_held(other)
        while_held()
    run = stage.world.ended(process)
    if run.code:
        return run
    assert stage.comes_back("p3", held, repository=far.repository)
    return run


def and_goes_on(stage: Stage, far: Far) -> None:
    """Here and there all comes back, and the next backup there works."""
    stage.all_come_back(repository=far.repository)
    stage.all_come_back()
    again = stage.world.run("backup", **{**stage.world.backup_spec("p4"), "repository": far.repository})
    assert again.code == 0, again
    stage.goes_on()


def network_cut_and_back(stage: Stage) -> None:
    """A backup goes on when the network is back."""
    with far_machine(stage, stage.world.directory / "far") as far:

        def cut() -> None:
            far.cable.cut()
            Timer(CUT_SECONDS, far.cable.mend).start()

        run = backed_up(stage, far, cut)
        assert run.code == 0, run
        and_goes_on(stage, far)


def network_cut_for_long(stage: Stage) -> None:
    """A backup ends at its deadline and claims nothing."""
    with far_machine(stage, stage.world.directory / "far") as far:
        run = backed_up(stage, far, far.cable.cut, deadline_seconds=DEADLINE_SECONDS)
        assert (run.code, run.last["code"]) == (1, "deadline"), run
        far.cable.mend()
        and_goes_on(stage, far)


def server_ends_and_begins(stage: Stage) -> None:
    """The other machine's server is ended in the middle, and started again."""
    with far_machine(stage, stage.world.directory / "far") as far:

        def end_and_begin() -> None:
            far.end()
            Timer(CUT_SECONDS, far.begin).start()

        run = backed_up(stage, far, end_and_begin)
        assert run.code == 0, run
        and_goes_on(stage, far)


def power_cut_elsewhere(stage: Stage) -> None:
    """The other machine loses power in the middle, and comes up again."""
    with disk_with_power(stage.world.directory / "far") as disk, far_machine(stage, disk) as far:
        subprocess.run(["sync", "--file-system", str(disk)], check=True)

        def cut_and_boot() -> None:
            power_off(disk)
            far.end()
            after_power_cut(disk)
            far.begin()

        backed_up(stage, far, cut_and_boot)
        and_goes_on(stage, far)
        far.end()


def network_cut_for_the_log(stage: Stage) -> None:
    """What was received meanwhile is shipped when the network is back."""
    world = stage.world
    with far_machine(stage, world.directory / "far") as far:
        with receiving(world, {"offsite": far.repository}):
            base(world)
            assert world.run("copy", repository=far.repository, source=world.repository).code == 0
            far.cable.cut()
            stage.write()
            time.sleep(CUT_SECONDS)
            far.cable.mend()
            committed = datetime.now(UTC)
            wait_for(lambda: lies_there(stage, far, committed), seconds=SHIPPED_WITHIN_SECONDS)
            shutil.rmtree(world.location)
            stage.log_comes_back(repository=far.repository)
        stage.all_come_back(repository=far.repository)


def lies_there(stage: Stage, far: Far, committed: datetime) -> bool:
    """Whether everything that was committed by then was shipped; a line that has just come back may not answer yet."""
    listed = stage.world.run("bases", repository=far.repository, crm="demo")
    return listed.code == 0 and any(base["until"] and datetime.fromisoformat(base["until"]) > committed for base in listed.last["bases"])


NETWORK: dict[str, Callable[[Stage], None]] = {
    "network-cut-and-back": network_cut_and_back,
    "network-cut-for-long": network_cut_for_long,
    "network-cut-for-the-log": network_cut_for_the_log,
    "server-ends-and-begins": server_ends_and_begins,
    "power-cut-elsewhere": power_cut_elsewhere,
}
