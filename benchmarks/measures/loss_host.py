"""How much work is lost with a whole host, at the worst moment: right before the log is shipped elsewhere again."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.figure import Measure, Say, Taken
from benchmarks.keeping import Keeping, keeping
from benchmarks.losing import beating, kill_server, kill_tree, recovered
from benchmarks.privilege import require_root
from benchmarks.waiting import wait_until

SCALE, FILES, PORT = 10, 10, 23812
EVERY_SECONDS = 60
"""As the appliance does by itself."""
LONGEST_SECONDS = 62.0
"""The goal of the issue that asked for this: the reference is this figure, not another program."""
PAUSE_SECONDS = 0.05
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 180


def take(rounds: int, say: Say) -> Taken:
    """Lose the host so often; the longest loss counts."""
    require_root("loss_host")
    lost = [_lost_seconds(say) for _ in range(rounds)]
    note = (
        f"The most of {rounds}: a row is committed every {PAUSE_SECONDS * 1000:.0f} ms, the log shipped each {EVERY_SECONDS} s to a REST "
        "server with append-only; receiver, server and local repository are destroyed at the worst moment, when the next shipping has "
        "begun and nothing of it counts yet, and all that lies there is recovered. Seconds from the last row that came back to the loss. "
        "The reference is the longest that is wanted."
    )
    return Taken(ours=max(lost), reference=LONGEST_SECONDS, note=note)


def _lost_seconds(say: Say) -> float:
    with keeping(say, scale=SCALE, files=FILES) as kept, _elsewhere(kept) as repository:
        relay = {"repository": repository, "name": "elsewhere", "ship_every_seconds": EVERY_SECONDS}
        relay |= {name: kept.log[name] for name in ("crm", "spool")}
        with kept.received(every_seconds=EVERY_SECONDS, relays=[relay]) as receiver:
            kept.run("base", base="base", **kept.log)
            kept.run("copy", repository=repository, source=kept.repository())
            with beating(kept.cluster, pause_seconds=PAUSE_SECONDS):
                _await_the_worst_moment(kept)
                at = time.time()
                kill_tree(receiver.pid)
                kill_server(kept.cluster)
        shutil.rmtree(kept.place / "ours")
        shutil.rmtree(kept.spool)
        with recovered(kept, repository=repository) as copy:
            last = float(copy.answer("select extract(epoch from max(at)) from heartbeat"))
    say(f"{at - last:.1f} s were lost")
    return at - last


def _await_the_worst_moment(kept: Keeping) -> None:
    """The log was shipped once since the rows began, and restic has just locked the repository there to ship it again."""
    known = _files(kept, "snapshots")
    wait_until(lambda: bool(_files(kept, "snapshots") - known), seconds=PATIENCE_SECONDS, what="the log to be shipped elsewhere")
    wait_until(lambda: not _files(kept, "locks"), seconds=PATIENCE_SECONDS, what="the shipping to end")
    wait_until(lambda: bool(_files(kept, "locks")), seconds=PATIENCE_SECONDS, what="the next shipping to begin", pause_seconds=LOOK_SECONDS)


def _files(kept: Keeping, kind: str) -> set[str]:
    return {path.name for path in (kept.place / "elsewhere" / "crm" / kind).glob("*")}


@contextmanager
def _elsewhere(kept: Keeping) -> Iterator[dict[str, Any]]:
    """A REST server that lets things be added only, and how `python -m backup` is told of a repository there."""
    for name in ("user", "adding"):
        (kept.place / name).write_text(name)
    served = ["rclone", "serve", "restic", str(kept.place / "elsewhere"), "--addr", f"127.0.0.1:{PORT}", "--append-only"]
    with subprocess.Popen(
        [*served, "--user", "user", "--pass", "adding", "--config", "/nonexistent/rclone.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield {
                "location": f"rest:http://127.0.0.1:{PORT}/crm/",
                "password_file": str(kept.password_file),
                "lock_directory": str(kept.place / "leases"),
                "credentials": {
                    "RESTIC_REST_USERNAME": str(kept.place / "user"),
                    "RESTIC_REST_PASSWORD": str(kept.place / "adding"),
                },
            }
        finally:
            server.terminate()


MEASURE = Measure(
    name="loss_host",
    title="work lost with a whole host at the worst moment, against the longest that is wanted",
    unit="s",
    goal=1.0,
    rounds=1,
    take=take,
)
