"""Ask each CRM's own database how much people work with it: beside the monitor, in a thread of its own, since answers take their time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from threading import Event
from typing import Any

from appliance.domain.adoption import NO_DEPARTMENT, Adoption, answered, unanswered
from appliance.domain.instance import Deployment, Instance, InstanceState
from appliance.errors import ApplianceError, StepFailed
from appliance.hosts.reach import ask
from appliance.operations.beside import look_again_and_again
from appliance.operations.machines import Machine, machine_of
from appliance.operations.variables import crm_variables
from appliance.products.probing import MONITOR_ROLE
from appliance.wiring import Appliance
from monitoring.facts import ACTIVE_USERS, ADOPTION, LAST_ACTIVE
from monitoring.ledger import Ledger

LOOK_SECONDS = 60.0
QUESTION_SECONDS = 30.0
WAY_SECONDS = 60.0
KNOWN_FOR = timedelta(days=1)
WITHOUT_DEPARTMENT = "none"
"""What metrics call the people who have no department."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Adopting:
    """Asks one CRM after the other, each as often as the settings say, and none that an operation works on."""

    appliance: Appliance
    now: Callable[[], datetime] = _now
    told: Mapping[str, Mapping[tuple[str, str], float]] = field(default_factory=dict)

    def run(self, stop: Event) -> None:
        """Until the event is set."""
        look_again_and_again(self.look, stop, every_seconds=LOOK_SECONDS, failing="Adoption could not be looked after")

    def look(self) -> None:
        """Ask what is due, and tell the metrics."""
        store = self.appliance.store
        wanted = [instance for instance in store.instances.list() if is_wanted(instance)]
        knows = {product for product in {instance.product for instance in wanted} if questions_of(self.appliance, product)}
        measured = [instance for instance in wanted if instance.product in knows]
        if {one.instance for one in store.adoption.list()} - {instance.name for instance in measured}:
            store.adoption.keep_only({instance.name for instance in measured})
        for instance in measured:
            if self._is_due(instance):
                store.adoption.put(measure(self.appliance, instance, now=self.now()))
        facts = facts_of(store.adoption.list(), self.now())
        if facts != self.told:
            with Ledger(self.appliance.settings.ledger_file) as ledger:
                for name, values in facts.items():
                    ledger.tell_facts(name, values)
            self.told = facts

    def _is_due(self, instance: Instance) -> bool:
        """Not while an operation is at work: the database may be another one at its end."""
        last = self.appliance.store.adoption.find(instance.name)
        every = timedelta(seconds=self.appliance.settings.adoption_every_seconds)
        is_time = last is None or self.now() - last.tried_at >= every
        return is_time and self.appliance.store.operations.unfinished(instance.name) is None


def is_wanted(instance: Instance) -> bool:
    """Whether it serves and is to be asked."""
    return instance.measures_adoption and instance.state is InstanceState.ACTIVE and instance.deployment is not None


def questions_of(appliance: Appliance, product: str) -> dict[str, str]:
    """What a product asks, by name; nothing where it has no such questions, or is not there or broken."""
    try:
        adoption = appliance.catalogue.get(product).definition.metrics.adoption
    except ApplianceError:
        return {}
    return adoption.model_dump(exclude_none=True) if adoption else {}


def measure(appliance: Appliance, instance: Instance, *, now: datetime) -> Adoption:
    """Ask one CRM. Where nobody answers, what was known stays, with the reason."""
    before = appliance.store.adoption.find(instance.name)
    try:
        rows = _ask(appliance, instance, questions_of(appliance, instance.product))
        return answered(instance.name, rows, before=before, now=now)
    except (ApplianceError, ValueError) as error:
        return unanswered(instance.name, str(error), before=before, now=now)


def _ask(appliance: Appliance, instance: Instance, questions: Mapping[str, str]) -> dict[str, Any]:
    machine = machine_of(appliance, instance.host, channel="adoption")
    assert instance.deployment is not None  # noqa: S101 - only CRMs that serve come here
    told = {**_database(machine, instance, instance.deployment), "timeout_seconds": QUESTION_SECONDS, "questions": questions}
    argv = [machine.layout.tools_python, "-m", "monitoring", "query"]
    try:
        patience_seconds = WAY_SECONDS + QUESTION_SECONDS * len(questions)
        done = ask(machine.reach, argv, given=json.dumps(told), timeout_seconds=patience_seconds)
    finally:
        machine.reach.close()
    if done.returncode:
        raise StepFailed((done.stderr.strip().splitlines() or ["The database could not be asked."])[-1])
    rows: dict[str, Any] = json.loads(done.stdout)["rows"]
    return rows


def _database(machine: Machine, instance: Instance, deployment: Deployment) -> dict[str, Any]:
    crm = crm_variables(machine.layout, instance, cluster=deployment.cluster)
    address = {"socket_directory": crm["socket_directory"], "port": crm["database_port"]}
    return {**address, "user": MONITOR_ROLE, "database": deployment.database}


def facts_of(adoptions: list[Adoption], now: datetime) -> dict[str, dict[tuple[str, str], float]]:
    """For the metrics, of each CRM that has answered within a day: of the others it is not known whether anybody works with them now."""
    told: dict[str, dict[tuple[str, str], float]] = {ADOPTION: {}, ACTIVE_USERS: {}, LAST_ACTIVE: {}}
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    for one in adoptions:
        if one.asked_at is None or now - one.asked_at > KNOWN_FOR:
            continue
        newest = one.newest_change.timestamp() if one.newest_change else 0.0
        figures = {"records": float(one.records), "untouched_ratio": one.untouched_ratio, "newest_change": newest}
        figures["asked_at"] = one.asked_at.timestamp()
        told[ADOPTION] |= {(one.instance, figure): value for figure, value in figures.items()}
        for department in (*one.departments, NO_DEPARTMENT):
            label = department or WITHOUT_DEPARTMENT
            told[ACTIVE_USERS][one.instance, label] = float(one.active_on(yesterday, department))
        for department in one.departments:
            last = one.last_active(department)
            began = datetime.combine(last, time(), UTC).timestamp() if last else 0.0
            told[LAST_ACTIVE][one.instance, department] = began
    return told
