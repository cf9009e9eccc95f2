"""What need not be told beside something worse: the host is away, so the CRM on it is; the CRM is down, so it is not slow.

A lesser alert stands and is shown; people are told of it only if it still fires when the worse one is over. Nothing that is about bringing
a CRM back is ever left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitoring.rules.budgets import AVAILABILITY, LATENCY
from monitoring.rules.series import Found, Labels, Metric, Snapshot, only

BUDGETS = tuple(rule.name for rule in (*AVAILABILITY, *LATENCY))
CRM_INFO = Metric(name="appliance_crm_info")


@dataclass(frozen=True, kw_only=True)
class Lesser:
    """`rules` are not told of for as long as `worse` holds, pending or firing, for what has the same of the labels `by`."""

    worse: str
    rules: tuple[str, ...]
    by: tuple[str, ...]


LESSER = (
    Lesser(worse="HostUnreachable", rules=("CrmDown", *BUDGETS), by=("host",)),
    Lesser(worse="CrmDown", rules=BUDGETS, by=("crm",)),
    Lesser(worse="DiskNearlyFull", rules=("DiskFilling",), by=("host", "mountpoint")),
    Lesser(worse="CertificateAtItsEnd", rules=("CertificateEnding",), by=("crm",)),
)


class Worse:
    """What holds now that makes other alerts needless to tell. An alert about a CRM is one about its host, too."""

    def __init__(self, found: Mapping[str, Found], snapshot: Snapshot) -> None:
        self._found = found
        self._hosts = {dict(labels)["crm"]: dict(labels)["host"] for labels in snapshot.of(CRM_INFO)}

    def than(self, rule: str, labels: Labels) -> str:
        """The name of the rule because of which this alert is not told; empty if it is."""
        mine = self._with_host(labels)
        for lesser in LESSER:
            if rule in lesser.rules and _same(only(mine, lesser.by), lesser, self._found.get(lesser.worse, {})):
                return lesser.worse
        return ""

    def _with_host(self, labels: Labels) -> Labels:
        known = dict(labels)
        host = known.get("host") or self._hosts.get(known.get("crm", ""), "")
        return tuple(sorted((known | {"host": host}).items()))


def _same(mine: Labels, lesser: Lesser, others: Iterable[Labels]) -> bool:
    return any(mine == only(other, lesser.by) for other in others)
