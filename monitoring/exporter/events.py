"""Metrics of what the worker wrote down: backups, drills, operations; and of clocks that were set."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from monitoring.events import Event
from monitoring.exporter.families import Family, counter
from monitoring.exporter.grouped import Grouped
from monitoring.ledger import Ledger
from monitoring.targets import Target

OPERATION_KINDS = (
    *("install", "backup", "restore", "restore-beside", "restore-files", "restore-tables", "drill", "rehearse", "upgrade", "rollback"),
    *("patch", "remove", "archive", "check", "retention", "certificate", "configure", "maintenance", "tidy"),
    *("host-prepare", "host-patch", "fleet-patch", "monitoring-stack"),
)
"""All that the worker carries out; their series exist from the start, and an operation of no such kind would not be counted."""
RESULTS = ("success", "partial", "failed", "cancelled", "rolled_back", "needs_attention")
BACKUP_RESULTS = ("success", "partial", "failed", "cancelled")
DRILL_RESULTS = ("success", "failed", "cancelled")
DEFAULT_BACKUP, DEFAULT_DRILL, DEFAULT_REPOSITORY = "logical", "full", "local"
"""What an event means that does not say its kind or repository; their series exist from the start."""


class History:
    """All events of a ledger by groups; each is read once. The worker only ever adds events."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads nothing yet."""
        self._ledger = ledger
        self._last_id = 0
        self._backups = Grouped(("crm", "kind", "repository"), lambda event: (event.crm, _backup_kind(event), _repository(event)))
        self._backup_kinds = Grouped(("crm", "kind"), lambda event: (event.crm, _backup_kind(event)))
        self._points = Grouped(("crm", "repository"), lambda event: (event.crm, _repository(event)))
        self._drills = Grouped(("crm", "kind"), lambda event: (event.crm, _drill_kind(event)))
        self._operations = Grouped(("kind",), lambda event: (event.kind,))
        self._subjects = Grouped(("subject",), lambda event: (event.crm,))
        self._checks = Grouped(("crm",), lambda event: (event.crm,))
        self._clock_steps: Counter[str] = Counter()

    def collect(self, targets: Sequence[Target], shipped: Mapping[tuple[str, str], float]) -> Iterator[Family]:
        """All series of all configured CRMs exist from the start, at 0. Of a CRM that is configured no longer there are none.

        `shipped` is up to when every change lies in a repository, by CRM and repository.
        """
        for event_id, event in self._ledger.events_after(self._last_id):
            self._take(event)
            self._last_id = event_id
        crms = {target.crm for target in targets}
        yield from self._collect_backups(crms, shipped)
        yield from self._collect_drills(crms)
        yield from self._collect_checks(crms)
        yield from self._collect_operations(crms)
        yield self._collect_clock_steps()

    def _take(self, event: Event) -> None:
        if event.kind == "backup":
            for grouped in (self._backups, self._backup_kinds, self._points):
                grouped.take(event)
        if event.kind == "drill":
            self._drills.take(event)
        if event.kind == "check":
            self._checks.take(event)
        if event.kind in OPERATION_KINDS:
            self._operations.take(event)
            self._subjects.take(event)
        if event.kind == "clock_step":
            self._clock_steps[event.result] += 1

    def _collect_backups(self, crms: set[str], shipped: Mapping[tuple[str, str], float]) -> Iterator[Family]:
        runs = self._backups.shown([(crm, DEFAULT_BACKUP, DEFAULT_REPOSITORY) for crm in crms], crms=crms)
        kinds = self._backup_kinds.shown([(crm, DEFAULT_BACKUP) for crm in crms], crms=crms)
        points = self._points.shown([(crm, DEFAULT_REPOSITORY) for crm in crms], crms=crms)
        yield runs.newest_success("appliance_backup_last_success_timestamp_seconds", "End of the last backup that succeeded.", _ended)
        yield runs.newest("appliance_backup_last_attempt_timestamp_seconds", "End of the last backup, however it ended.", _ended)
        yield runs.counter("appliance_backup_runs", "Backups.", BACKUP_RESULTS)
        yield runs.newest_success("appliance_backup_processed_bytes", "Read by the last successful backup.", _figure("bytes_processed"))
        yield runs.newest_success("appliance_backup_added_bytes", "Added by the last successful backup.", _figure("bytes_added"))
        yield kinds.histogram("appliance_backup_duration_seconds", "How long backups took.")
        yield runs.newest("appliance_backup_failed", "Whether the last backup failed or was partial.", _did_not_succeed)
        text = "The newest second of the CRM's data that could be recovered."
        newest = points.newest_success("appliance_recovery_point_timestamp_seconds", text, _recovery_point)
        # Without any recovery point the log has nothing to be replayed onto.
        newest.values = [
            max(at, shipped.get((crm, repository), 0.0)) if at else at
            for (_, (crm, repository)), at in zip(newest.series, newest.values, strict=True)
        ]
        yield newest

    def _collect_drills(self, crms: set[str]) -> Iterator[Family]:
        drills = self._drills.shown([(crm, DEFAULT_DRILL) for crm in crms], crms=crms)
        yield drills.newest_success("appliance_restore_drill_last_success_timestamp_seconds", "End of the last proven restore.", _ended)
        text = "How long the last proven restore took: the measured recovery time."
        yield drills.newest_success("appliance_restore_drill_duration_seconds", text, lambda event: event.duration_seconds or 0)
        yield drills.newest("appliance_restore_drill_failed", "Whether the last restore drill failed.", _did_not_succeed)
        yield drills.counter("appliance_restore_drills", "Restore drills.", DRILL_RESULTS)

    def _collect_checks(self, crms: set[str]) -> Iterator[Family]:
        checks = self._checks.shown([(crm,) for crm in crms], crms=crms)
        text = "End of the last check that found the CRM's repositories whole."
        yield checks.newest_success("appliance_repository_check_last_success_timestamp_seconds", text, _ended)
        text = "Whether the last check of the CRM's repositories failed."
        yield checks.newest("appliance_repository_check_failed", text, _did_not_succeed)

    def _collect_operations(self, crms: set[str]) -> Iterator[Family]:
        stuck = {subject for (subject,), group in self._subjects.groups.items() if group.newest and _is_stuck(group.newest)}
        subjects = self._subjects.shown([(crm,) for crm in crms], crms=crms | stuck)
        text = "Whether the last operation on a CRM or host needs attention."
        yield subjects.newest("appliance_operation_needs_attention", text, _is_stuck)
        operations = self._operations.shown([(kind,) for kind in OPERATION_KINDS])
        yield operations.counter("appliance_operation_runs", "Operations of the appliance.", RESULTS)
        yield operations.histogram("appliance_operation_duration_seconds", "How long operations took.")

    def _collect_clock_steps(self) -> Family:
        family = counter("appliance_clock_steps", "How often the wall clock was set by more than 2 s.", ("direction",))
        for direction in ("forward", "backward"):
            family.add((direction,), self._clock_steps[direction])
        return family


def _backup_kind(event: Event) -> str:
    return str(event.values.get("kind", DEFAULT_BACKUP))


def _drill_kind(event: Event) -> str:
    return str(event.values.get("kind", DEFAULT_DRILL))


def _repository(event: Event) -> str:
    return str(event.values.get("repository", DEFAULT_REPOSITORY))


def _ended(event: Event) -> float:
    return event.at.timestamp()


def _is_stuck(event: Event) -> bool:
    return event.result == "needs_attention"


def _did_not_succeed(event: Event) -> float:
    """One that somebody cancelled proves nothing, and is no failure."""
    return event.result not in ("success", "cancelled")


def _recovery_point(event: Event) -> float:
    """A backup holds the data as they were when it began, not when it ended."""
    began = event.at.timestamp() - (event.duration_seconds or 0)
    return float(event.values.get("recovery_point_at", began))


def _figure(name: str) -> Callable[[Event], float]:
    return lambda event: float(event.values.get(name, 0))
