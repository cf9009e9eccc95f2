"""How things are now, told by the worker: only the last word counts. Functions here work inside the ledger's transactions."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping

Facts = dict[str, dict[tuple[str, str], float]]

EVALUATED = "rules_evaluated"
"""When the alert rules were evaluated last, as Unix time."""
LOG_SHIPPED = "log_shipped"
"""Up to which Unix time the log of a CRM lies in a repository, by CRM and repository."""
LOG_REPLAYED = "log_replayed"
"""How many bytes of a CRM's log going back to now would replay onto the newest base."""
UPDATES = "updates"
"""Packages that wait, by host and class (security, other)."""
SECURITY_SINCE = "security_since"
"""Since which Unix time security updates wait, by host; 0 when none does."""
REBOOT_SINCE = "reboot_since"
"""Since which Unix time a restart is required, by host; 0 when none is."""
ADOPTION = "adoption"
"""How much a CRM is worked with, by CRM and figure (records, untouched_ratio, newest_change, asked_at; the last two as Unix time)."""
ACTIVE_USERS = "active_users"
"""How many people changed something on the last whole day, by CRM and department."""
LAST_ACTIVE = "last_active"
"""The beginning of the last day on which somebody changed something, as Unix time, by CRM and department; 0 where it is not known."""
NOTIFICATIONS = "notifications"
"""Notifications ever tried, by channel and result (sent, failed)."""
CHANNEL_FAILS = "channel_fails"
"""1 for a channel whose last attempt failed, otherwise 0."""


def replace_facts(connection: sqlite3.Connection, name: str, facts: Mapping[tuple[str, str], float]) -> None:
    """Write what is so now, in place of all that was told by this name."""
    connection.execute("DELETE FROM facts WHERE name = ?", (name,))
    rows = [(name, subject, part, value) for (subject, part), value in facts.items()]
    connection.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", rows)


def facts_of(rows: Iterable[tuple[str, str, str, float]]) -> Facts:
    """Rows by name, then by subject and part."""
    facts: defaultdict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for name, subject, part, value in rows:
        facts[name][subject, part] = value
    return facts
