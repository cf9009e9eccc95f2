"""The appliance's own last upgrade, as far as whoever does not carry it out has to know."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class OwnUpgrade:
    """From one release to another; `kind` is "upgrade" or "restore". While it is under way it has neither `result` nor `at`."""

    kind: str
    source: str
    target: str
    result: str = ""
    cause: str = ""
    at: datetime | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether a release is staged and not yet the one that serves for good."""
        return not self.result
