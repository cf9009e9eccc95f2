"""Playbook runs that are begun ahead of their turn: Ansible takes a second to start, and visitors would wait for it."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.hosts.playbooks import Recap

GO, LEAVE = "go", "leave"
LONGEST_LOADING_SECONDS, LONGEST_END_SECONDS = 60, 30
PAUSE_SECONDS = 0.05


@dataclass(kw_only=True)
class Held:
    """One run, which may be waiting at a gate; who lets it go hears from it from then on."""

    gate: Path | None = None
    on_line: Callable[[str], None] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False
    done: Future[Recap] = field(default_factory=Future)
    """What it reported once every task had succeeded, which is before ansible-playbook has ended."""

    def hear(self, line: str) -> None:
        """Pass on what the run says, to whoever listens by now."""
        self.on_line(line)

    def is_to_stop(self) -> bool:
        """Whether whoever listens by now wants it to end."""
        return self.is_cancelled()

    @property
    def waits(self) -> bool:
        """Whether it is loaded, and stands at its gate (`playbooks/lookup_plugins/gate.py` says so)."""
        return self.gate is not None and self.gate.with_suffix(".waiting").exists()

    def open(self, word: str) -> None:
        """Let it go on, or leave."""
        if self.gate is None:
            return
        self.gate.parent.mkdir(parents=True, exist_ok=True)
        new = self.gate.with_suffix(".new")
        new.write_text(word)
        new.replace(self.gate)

    def outcome(self, end: Future[Recap]) -> Recap:
        """Wait until every task has succeeded, or for the end of the run, and what that raises."""
        first, _ = wait([self.done, end], return_when=FIRST_COMPLETED)
        return first.pop().result()


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """The runs that an operation has begun ahead. They end with its carrier, and are no part of what is journalled."""

    waiting: dict[str, tuple[Held, Future[Recap]]] = field(default_factory=dict)
    taken: list[Future[Recap]] = field(default_factory=list)
    """Those that were let go; some may still be ending."""

    def begin(self, playbook: str, variables: Mapping[str, Any], held: Held, play: Callable[[Held], Recap]) -> None:
        """Load a playbook run, beside whatever else is done."""
        pool = ThreadPoolExecutor(1)
        self.waiting[_key(playbook, variables)] = held, pool.submit(play, held)
        pool.shutdown(wait=False)

    def take(self, playbook: str, variables: Mapping[str, Any]) -> tuple[Held, Future[Recap]] | None:
        """The run of the same playbook with the same variables, if it waits at its gate."""
        found = self.waiting.pop(_key(playbook, variables), None)
        if found is None or found[1].done():
            return None
        self.taken.append(found[1])
        return found

    def await_loaded(self) -> None:
        """Until every run waits at its gate: what loads them would slow down what comes next."""
        deadline = time.monotonic() + LONGEST_LOADING_SECONDS
        while not all(held.waits or recap.done() for held, recap in self.waiting.values()) and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Let all that still wait end without having done anything, and all others, too."""
        for held, _ in self.waiting.values():
            held.open(LEAVE)
        wait([*self.taken, *(recap for _, recap in self.waiting.values())], timeout=LONGEST_END_SECONDS)
        self.waiting.clear()
        self.taken.clear()


def _key(playbook: str, variables: Mapping[str, Any]) -> str:
    return json.dumps([playbook, variables], sort_keys=True, default=str)
