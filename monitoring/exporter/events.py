"""Metrics of what the worker wrote down: backups, drills, operations; and of clocks that were set."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, Metric

from monitoring.exporter.grouped import Grouped
from monitoring.ledger import Event, Ledger
from monitoring.targets import Target

OPERATION_KINDS = ("install", "backup", "restore", "drill", "upgrade", "rollback", "patch", "remove")
RESULTS = ("success", "partial", "failed", "cancelled", "rolled_back", "needs_attention")
BACKUP_RESULTS = ("success", "partial", "failed", "cancelled")
DRILL_RESULTS = ("success", "failed", "cancelled")
SUCCESS = ("success",)
DEFAULT_BACKUP, DEFAULT_DRILL, DEFAULT_REPOSITORY = "logical", "full", "local"
"""What an event means that does not say its kind or repository; their series exist from the start."""


def collect_events(ledger: Ledger, targets: Iterable[Target]) -> Iterator[Metric]:
    """All series of all configured CRMs exist from the start, at 0. Of a CRM that is configured no longer there are none."""
    crms = {target.crm for target in targets}
    events = ledger.events()
    yield from _backups([event for event in events if event.kind == "backup" and event.crm in crms], crms)
    yield from _drills([event for event in events if event.kind == "drill" and event.crm in crms], crms)
    yield from _operations([event for event in events if event.kind in OPERATION_KINDS])
    yield _clock_steps([event for event in events if event.kind == "clock_step"])


def _backups(events: Sequence[Event], crms: Iterable[str]) -> Iterator[Metric]:
    runs = Grouped(
        events=events,
        labels=("crm", "kind", "repository"),
        key=lambda event: (event.crm, _backup_kind(event), _repository(event)),
        expected=[(crm, DEFAULT_BACKUP, DEFAULT_REPOSITORY) for crm in crms],
    )
    by_kind = Grouped(
        events=events,
        labels=("crm", "kind"),
        key=lambda event: (event.crm, _backup_kind(event)),
        expected=[(crm, DEFAULT_BACKUP) for crm in crms],
    )
    points = Grouped(
        events=events,
        labels=("crm", "repository"),
        key=lambda event: (event.crm, _repository(event)),
        expected=[(crm, DEFAULT_REPOSITORY) for crm in crms],
    )
    yield runs.gauge("appliance_backup_last_success_timestamp_seconds", "End of the last backup that succeeded.", _ended, SUCCESS)
    yield runs.gauge("appliance_backup_last_attempt_timestamp_seconds", "End of the last backup, however it ended.", _ended)
    yield runs.counter("appliance_backup_runs", "Backups.", BACKUP_RESULTS)
    yield runs.gauge("appliance_backup_processed_bytes", "Read by the last successful backup.", _figure("bytes_processed"), SUCCESS)
    yield runs.gauge("appliance_backup_added_bytes", "Added by the last successful backup.", _figure("bytes_added"), SUCCESS)
    yield by_kind.histogram("appliance_backup_duration_seconds", "How long backups took.")
    text = "The newest second of the CRM's data that could be recovered."
    yield points.gauge("appliance_recovery_point_timestamp_seconds", text, _recovery_point, SUCCESS)


def _drills(events: Sequence[Event], crms: Iterable[str]) -> Iterator[Metric]:
    drills = Grouped(
        events=events,
        labels=("crm", "kind"),
        key=lambda event: (event.crm, _drill_kind(event)),
        expected=[(crm, DEFAULT_DRILL) for crm in crms],
    )
    yield drills.gauge("appliance_restore_drill_last_success_timestamp_seconds", "End of the last proven restore.", _ended, SUCCESS)
    text = "How long the last proven restore took: the measured recovery time."
    yield drills.gauge("appliance_restore_drill_duration_seconds", text, lambda event: event.duration_seconds or 0, SUCCESS)
    yield drills.counter("appliance_restore_drills", "Restore drills.", DRILL_RESULTS)


def _operations(events: Sequence[Event]) -> Iterator[Metric]:
    operations = Grouped(events=events, labels=("kind",), key=lambda event: (event.kind,), expected=[(kind,) for kind in OPERATION_KINDS])
    yield operations.counter("appliance_operation_runs", "Operations of the appliance.", RESULTS)
    yield operations.histogram("appliance_operation_duration_seconds", "How long operations took.")


def _clock_steps(events: Sequence[Event]) -> Metric:
    family = CounterMetricFamily("appliance_clock_steps", "How often the wall clock was set by more than 2 s.", labels=["direction"])
    for direction in ("forward", "backward"):
        family.add_metric([direction], sum(event.result == direction for event in events))
    return family


def _backup_kind(event: Event) -> str:
    return str(event.values.get("kind", DEFAULT_BACKUP))


def _drill_kind(event: Event) -> str:
    return str(event.values.get("kind", DEFAULT_DRILL))


def _repository(event: Event) -> str:
    return str(event.values.get("repository", DEFAULT_REPOSITORY))


def _ended(event: Event) -> float:
    return event.at.timestamp()


def _recovery_point(event: Event) -> float:
    """A backup holds the data as they were when it began, not when it ended."""
    began = event.at.timestamp() - (event.duration_seconds or 0)
    return float(event.values.get("recovery_point_at", began))


def _figure(name: str) -> Callable[[Event], float]:
    return lambda event: float(event.values.get(name, 0))
