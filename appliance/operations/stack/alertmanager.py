"""Alertmanager's configuration: who is told of what, what is told together, and what is not told beside something worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import Any

import yaml

from appliance.domain.channel import Channel, QuietHours, Severity
from appliance.operations.stack.receivers import Receiver
from monitoring.rules.lesser import LESSER, Lesser

NOBODY, DEAD_MAN = "nobody", "Dead man"
"""No channel has such a name: those have small letters, and the first of these no settings."""
GROUPED_BY = ["alertname", "crm", "host"]
LESSER_HERE = (
    *LESSER,
    *(replace(one, worse="HostDown") for one in LESSER if one.worse == "HostUnreachable"),
    Lesser(worse="HostDown", rules=("HostUnreachable", "CrmUnreachable"), by=("host",)),
    Lesser(worse="HostUnreachable", rules=("CrmUnreachable",), by=("host",)),
    Lesser(worse="CrmDown", rules=("CrmUnreachable",), by=("crm",)),
)
"""What the appliance itself does not tell beside something worse, and the same of what only Prometheus sees."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A channel and what it is for Alertmanager."""

    channel: Channel
    receiver: Receiver


def alertmanager_text(told: Sequence[Told], dead_man: Receiver | None) -> str:
    """The file. A maintenance window needs nothing here: the rules themselves leave out what it explains."""
    quiet = {str(one.channel.quiet): one.channel.quiet for one in told if one.channel.quiet is not None}
    receivers = [{"name": NOBODY}, *([dead_man.configuration] if dead_man else []), *(one.receiver.configuration for one in told)]
    configuration = {
        "route": {
            "receiver": NOBODY,
            "group_by": GROUPED_BY,
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [_watchdog(dead_man), *(route for one in told for route in _routes(one.channel))],
        },
        "time_intervals": [_interval(hours) for hours in quiet.values()],
        "inhibit_rules": [_inhibition(one) for one in LESSER_HERE],
        "receivers": [dict(receiver) for receiver in receivers],
    }
    return str(yaml.dump(configuration, Dumper=_Plain, sort_keys=False, width=10**9))


class _Plain(yaml.SafeDumper):
    """Says everything where it is, without references."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name and shape are PyYAML's
        return True


def _watchdog(dead_man: Receiver | None) -> dict[str, Any]:
    """It always fires: whoever is told of it alerts when that ends."""
    watched = (
        {"receiver": DEAD_MAN, "group_wait": "0s", "group_interval": "1m", "repeat_interval": "50s"} if dead_man else {"receiver": NOBODY}
    )
    return {"matchers": ['alertname="Watchdog"'], **watched}


def _routes(channel: Channel) -> list[dict[str, Any]]:
    return [
        {
            "receiver": channel.name,
            "matchers": [f'severity="{severity}"', *about],
            **({"mute_time_intervals": [str(channel.quiet)]} if channel.quiet and severity is Severity.WARNING else {}),
            "continue": True,
        }
        for severity in channel.severities
        for about in _about(channel.crms)
    ]


def _about(crms: Sequence[str]) -> list[list[str]]:
    """Of all, or of what is about these CRMs: by their label, or as the subject of an operation."""
    if not crms:
        return [[]]
    names = "|".join(crms)
    return [[f'crm=~"{names}"'], ['crm=""', f'subject=~"{names}"']]


def _interval(hours: QuietHours) -> dict[str, Any]:
    if hours.begins < hours.ends:
        times = [_span(f"{hours.begins:%H:%M}", f"{hours.ends:%H:%M}")]
    else:
        times = [_span(f"{hours.begins:%H:%M}", "24:00"), *([_span("00:00", f"{hours.ends:%H:%M}")] if hours.ends != time() else [])]
    return {"name": str(hours), "time_intervals": [{"times": times, "location": hours.zone}]}


def _span(begins: str, ends: str) -> Mapping[str, str]:
    return {"start_time": begins, "end_time": ends}


def _inhibition(lesser: Lesser) -> dict[str, Any]:
    return {
        "source_matchers": [f'alertname="{lesser.worse}"'],
        "target_matchers": [f'alertname=~"{"|".join(lesser.rules)}"'],
        "equal": list(lesser.by),
    }
