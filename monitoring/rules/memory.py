"""What the rules remember, in the ledger's file: alerts, what has changed of them, and samples of the series whose past they ask for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from monitoring.facts import EVALUATED, replace_facts
from monitoring.rules.rule import Rule
from monitoring.rules.series import Labels
from monitoring.rules.standing import Alert, Change, Key, Stand
from monitoring.rules.table import RULES
from monitoring.schema import connect

HOUR_MS = 3600 * 1000
SERIES_KEPT_MS = 3 * 24 * HOUR_MS
"""How far back any rule asks for a sample; a test compares."""
EACH_KEPT_MS = 6 * HOUR_MS
"""How far back any rule asks for each sample; of older ones the last of each hour is kept."""
NEWEST = "SELECT series, value FROM samples WHERE (series, at_ms) IN (SELECT series, max(at_ms) FROM samples GROUP BY series)"
FORGET = (
    "DELETE FROM samples WHERE at_ms < ?1 AND at_ms <"
    " (SELECT max(at_ms) FROM samples AS later WHERE later.series = samples.series AND later.at_ms <= ?1)"
)
THIN_OUT = (
    "DELETE FROM samples WHERE at_ms < ?1 AND EXISTS (SELECT 1 FROM samples AS later WHERE later.series = samples.series"
    " AND later.at_ms > samples.at_ms AND later.at_ms <= ?1 AND later.at_ms / ?2 = samples.at_ms / ?2)"
)
STANDING = "SELECT rule, labels, state, since_ms, since_seconds, value, untold FROM alerts ORDER BY since_ms, rule, labels"
BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


@dataclass(frozen=True, kw_only=True)
class ToldChange:
    """A change as it is kept: the ids grow, and all changes of one evaluation were written at once. `at` is Unix time."""

    id: int
    alert: Alert
    fires: bool
    severity: str
    at: float


class RuleMemory:
    """One open file. Safe to use from several threads, and beside other processes."""

    def __init__(self, path: Path | str) -> None:
        """Opens the ledger's file and makes it if needed. Raises LedgerTooNew and sqlite3.Error."""
        self._connection = connect(path)
        self._lock = RLock()
        self._newest: dict[str, float] | None = None

    def close(self) -> None:
        """Closes the file; every write is already on disk."""
        with self._lock:
            self._connection.close()

    def alerts(self) -> list[Alert]:
        """All that are pending or fire, the oldest first."""
        return [_alert(row) for row in self._read(STANDING)]

    def changes(self, *, after: int, severity: str | None = None, limit: int = 1000) -> list[ToldChange]:
        """Changes with an id above that, in the order of their writing; of one severity if given."""
        return self._changes("id > ?1 AND (?2 IS NULL OR severity = ?2) ORDER BY id LIMIT ?3", (after, severity, limit))

    def newest_changes(self, limit: int) -> list[ToldChange]:
        """The last changes, the newest first."""
        return self._changes("1 ORDER BY id DESC LIMIT ?", (limit,))

    def last_change(self) -> int:
        """The id of the last change; 0 before the first."""
        return int(self._read("SELECT coalesce(max(id), 0) FROM alert_changes")[0][0])

    def evaluated_at(self) -> float:
        """When the rules were evaluated last, as Unix time; 0 before the first time."""
        return float(next(iter(self._read("SELECT value FROM facts WHERE name = ?", (EVALUATED,))), (0.0,))[0])

    def write(self, alerts: Sequence[Alert], changes: Sequence[Change], *, at: float) -> None:
        """Writes how all alerts stand and what has changed of them, in one transaction."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            replace_facts(self._connection, EVALUATED, {("", ""): at})
            self._connection.execute("DELETE FROM alerts")
            self._connection.executemany("INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, alerts))
            self._connection.executemany(
                "INSERT INTO alert_changes (rule, labels, change, severity, at_seconds, since_seconds, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [_changed_row(change, at) for change in changes],
            )

    def sample(self, values: Mapping[tuple[str, Labels], float], *, at_ms: int) -> None:
        """Writes those that differ from their last sample, and forgets what no rule asks for any more."""
        if self._newest is None:
            self._newest = dict(self._read(NEWEST))
        known = self._newest
        named = {_series(name, labels): value for (name, labels), value in values.items()}
        new = [(series, at_ms, value) for series, value in named.items() if known.get(series) != value]
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", new)
            # The last one before a window stays, since a series keeps its value until the next one.
            self._connection.execute(FORGET, (at_ms - SERIES_KEPT_MS,))
            self._connection.execute(THIN_OUT, (at_ms - EACH_KEPT_MS, HOUR_MS))
        self._newest |= {series: value for series, _, value in new}

    def samples(self, name: str, labels: Labels, *, since_ms: int) -> list[tuple[int, float]]:
        """Places and values from there on, oldest first; the first is what held there, if that is known."""
        series = _series(name, labels)
        query = (
            "SELECT max(at_ms, ?2), value FROM samples WHERE series = ?1 AND at_ms >="
            " coalesce((SELECT max(at_ms) FROM samples WHERE series = ?1 AND at_ms <= ?2), ?2) ORDER BY at_ms"
        )
        return self._read(query, (series, since_ms))

    def first_sample(self, name: str, labels: Labels, *, since_ms: int) -> float | None:
        """The value that held there, otherwise the first one known after it."""
        query = (
            "SELECT coalesce((SELECT value FROM samples WHERE series = ?1 AND at_ms <= ?2 ORDER BY at_ms DESC LIMIT 1),"
            " (SELECT value FROM samples WHERE series = ?1 AND at_ms > ?2 ORDER BY at_ms LIMIT 1))"
        )
        value: float | None = self._read(query, (_series(name, labels), since_ms))[0][0]
        return value

    def _changes(self, where: str, parameters: tuple[object, ...]) -> list[ToldChange]:
        query = f"SELECT id, change, severity, at_seconds, rule, labels, since_seconds, value FROM alert_changes WHERE {where}"  # noqa: S608 - made here
        return [_told(row) for row in self._read(query, parameters)]

    def _read(self, query: str, parameters: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            cursor = self._connection.cursor()
            cursor.row_factory = None
            return cursor.execute(query, parameters).fetchall()


def by_key(alerts: Iterable[Alert]) -> dict[Key, Alert]:
    """Alerts by what tells them apart."""
    return {alert.key: alert for alert in alerts}


def _series(name: str, labels: Labels) -> str:
    return json.dumps([name, labels], separators=(",", ":"))


def _labels(text: str) -> Labels:
    return tuple((label, value) for label, value in json.loads(text))


def _row(alert: Alert) -> tuple[object, ...]:
    return alert.rule, json.dumps(alert.labels), alert.stand.value, alert.since_ms, alert.since, alert.value, alert.untold


def _changed_row(change: Change, at: float) -> tuple[object, ...]:
    alert = change.alert
    word = "firing" if change.fires else "resolved"
    severity = BY_NAME[alert.rule].severity.value if alert.rule in BY_NAME else "warning"
    return alert.rule, json.dumps(alert.labels), word, severity, at, alert.since, alert.value


def _alert(row: tuple[str, str, str, int, float, float, str]) -> Alert:
    rule, labels, state, since_ms, since, value, untold = row
    return Alert(rule=rule, labels=_labels(labels), stand=Stand(state), since_ms=since_ms, since=since, value=value, untold=untold)


def _told(row: tuple[int, str, str, float, str, str, float, float]) -> ToldChange:
    number, word, severity, at, rule, labels, since, value = row
    alert = Alert(rule=rule, labels=_labels(labels), stand=Stand.FIRING, since_ms=0, since=since, value=value)
    return ToldChange(id=number, alert=alert, fires=word == "firing", severity=severity, at=at)
