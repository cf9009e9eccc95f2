"""Wait at a gate: a file that says whether to go on. Played before a playbook that is begun ahead of its turn."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

PAUSE_SECONDS = 0.01
GO = "go"


class LookupModule(LookupBase):
    """`lookup('gate', FILE)`: gives "go" as soon as the file says so; fails when it says anything else, or ansible-playbook has ended."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **_: Any) -> list[str]:
        """Say that it waits, by a file beside, and wait for the file, which appears by a rename."""
        del variables
        gate, parent = Path(terms[0]), os.getppid()
        gate.with_suffix(".waiting").touch()
        while not gate.exists():
            if os.getppid() != parent:
                raise AnsibleError("Whoever was to open the gate has ended.")
            time.sleep(PAUSE_SECONDS)
        if gate.read_text() != GO:
            raise AnsibleError("This run is not wanted any more.")
        return [GO]
