"""How fast the CRMs answered within a month, added up as seldom as possible: a thousand of them have a hundred thousand counts."""

from collections.abc import Mapping, Sequence

from monitoring.days import DAY_MS
from monitoring.exporter.promises import BUDGET_WINDOW
from monitoring.latencies import Buckets, add_up
from monitoring.ledger import Ledger

TODAY_ANEW_MS = 120_000


class Latencies:
    """The days before today are added up once a day, since they change no more; today every two minutes."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads nothing yet."""
        self._ledger = ledger
        self._of: tuple[Sequence[str], int] = ((), 0)
        self._read_ms = 0
        self._before: Mapping[str, Buckets] = {}
        self._month: Mapping[str, Buckets] = {}

    def of_a_month(self, crms: Sequence[str], until_ms: int) -> Mapping[str, Buckets]:
        """By CRM, of the 30 days that end at this place on the ledger's time axis."""
        today = until_ms // DAY_MS
        if self._of != (crms, today):
            self._before = self._ledger.latency_sums(crms, today - BUDGET_WINDOW.days + 1, today - 1)
        elif until_ms - self._read_ms < TODAY_ANEW_MS:
            return self._month
        now = self._ledger.latency_sums(crms, today, today)
        self._month = {crm: add_up(one[crm] for one in (self._before, now) if crm in one) for crm in {*self._before, *now}}
        self._of, self._read_ms = (crms, today), until_ms
        return self._month
