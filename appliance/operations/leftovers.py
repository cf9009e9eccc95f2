"""What is left behind on a host: no unfinished operation goes on with it, and nothing that the appliance remembers refers to it.

It comes from an operation that said so in its log, from hands, or from a later life of the appliance than the one it was brought back to.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from appliance.domain.instance import REHEARSAL_SUFFIX, SCRATCH_SUFFIX, Deployment, Instance, scratch_name
from appliance.errors import NotFound, StepFailed
from appliance.hosts.confinement import name_of
from appliance.hosts.reach import ask_script
from appliance.operations.carriers import carrier_file
from appliance.operations.machines import Machine, layout_on
from appliance.wiring import Appliance

LONGEST_NUMBER = 18
"""Digits; the store can hold no operation of a longer one."""
DEPLOYMENT_ID = re.compile(rf"\d+-(\d{{1,{LONGEST_NUMBER}}})")
"""Counter and operation, as `operations.variables.new_deployment` numbers them."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """One below the CRMs' root: whether its maintenance page is up, where `current` points to, what its deployments are made of."""

    page: bool
    current: str | None
    deployments: Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class View:
    """What was seen on a host; `operations` are those whose processes are at work there."""

    directories: Mapping[str, Directory]
    operations: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """What is left behind of an instance that no unfinished operation works on.

    `deployments` were made by operations that have ended and were replaced since. `unknown` ones were made by none that the journal
    knows: visitors may have been let in to them; None for one that does not say what it is made of. `copies` are scratch copies of it,
    `operations` have ended while processes of theirs live on its host. `stranger` is where `current` points to when that is not what
    the appliance remembers: then page and deployments are not judged.
    """

    page: bool = False
    deployments: tuple[Deployment, ...] = ()
    unknown: Mapping[str, Deployment | None] = field(default_factory=dict)
    copies: tuple[str, ...] = ()
    operations: tuple[int, ...] = ()
    stranger: str | None = None

    @property
    def is_its_own(self) -> bool:
        """Whether there is something to clear of the instance itself."""
        return bool(self.page or self.deployments or self.copies)

    def __str__(self) -> str:
        """For people; empty when there is nothing."""
        found = {
            "the maintenance page": ["is up"] if self.page else [],
            "deployments": [one.id for one in self.deployments],
            "scratch copies": self.copies,
            "processes of operations": [str(number) for number in self.operations],
            "deployments that no known operation has made": self.unknown,
        }
        return "; ".join(f"{what} {', '.join(which)}" for what, which in found.items() if which)


def see(appliance: Appliance, machine: Machine) -> View:
    """Look at a host. Raises HostUnreachable, HostRefused, StepFailed."""
    prefix = name_of(appliance.settings.home, "")
    done = ask_script(machine.reach, "see_leftovers", str(machine.layout.crm_root), prefix)
    try:
        seen = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise StepFailed(f"{machine.host.name} cannot be looked at ({said})") from None
    directories = {name: Directory(**directory) for name, directory in seen["directories"].items()}
    operations = frozenset(int(number) for number in seen["processes"] if len(number) <= LONGEST_NUMBER)
    return View(directories=directories, operations=operations)


def left_behind(appliance: Appliance, instance: Instance, view: View) -> Leftovers:
    """What of a view is left behind of an instance that serves; the journal is asked now, so it must be after the view was taken."""
    operations = tuple(number for number in sorted(view.operations) if _has_ended(appliance, number))
    copies = tuple(name for name in _copies_of(appliance, instance) if name in view.directories)
    own = view.directories.get(instance.name)
    if own is None or instance.deployment is None:
        return Leftovers(copies=copies, operations=operations)
    if own.current != f"deployments/{instance.deployment.id}":
        return Leftovers(copies=copies, operations=operations, stranger=own.current or "nothing")
    nobodys = {id_: made for id_, made in own.deployments.items() if id_ not in {kept.id for kept in instance.kept}}
    known = {id_: _made_by_operation(appliance, instance, id_) for id_ in nobodys}
    return Leftovers(
        page=own.page and instance.closed is None,
        deployments=tuple(one for one in known.values() if one is not None),
        unknown={id_: _as_it_says(appliance, instance, id_, made) for id_, made in nobodys.items() if known[id_] is None},
        copies=copies,
        operations=operations,
    )


def foreign(appliance: Appliance, view: View) -> list[str]:
    """Directories with deployments that belong to no instance. They may be an administrator's, or another appliance's."""
    store = appliance.store.instances
    copies = {copy for instance in store.list() for copy in _copies_of(appliance, instance)}
    return [name for name, seen in view.directories.items() if seen.deployments and name not in copies and store.find(name) is None]


def _has_ended(appliance: Appliance, number: int) -> bool:
    """An operation that the journal does not know counts, unless it is still carried."""
    if carrier_file(appliance.settings, number).names_one_alive():
        return False
    try:
        return appliance.store.operations.get(number).status.is_final
    except NotFound:
        return True


def _copies_of(appliance: Appliance, instance: Instance) -> Iterable[str]:
    """Names of its scratch copies that are not in use, and that no other instance's copies could have: long names are cut."""
    names = [other.name for other in appliance.store.instances.list()]
    for suffix in (SCRATCH_SUFFIX, REHEARSAL_SUFFIX):
        copy = scratch_name(instance.name, suffix)
        if [scratch_name(name, suffix) for name in names].count(copy) == 1 and appliance.store.instances.find(copy) is None:
            yield copy


def _made_by_operation(appliance: Appliance, instance: Instance, deployment: str) -> Deployment | None:
    """As the operation that made it has written it down, if that is in the journal and has ended."""
    numbered = DEPLOYMENT_ID.fullmatch(deployment)
    try:
        operation = appliance.store.operations.get(int(numbered.group(1)) if numbered else 0)
    except NotFound:
        return None
    if operation.instance != instance.name or not operation.status.is_final:
        return None
    memory = appliance.store.operations.memory(operation.id)
    made = [one for one in (memory.get("new"), *memory.get("stops", ())) if one]
    return next((Deployment(**one) for one in made if one["id"] == deployment), None)


def _as_it_says(appliance: Appliance, instance: Instance, deployment: str, made: Mapping[str, Any] | None) -> Deployment | None:
    """As it says itself, if that is complete and names nothing that is kept."""
    place = layout_on(appliance, instance.host).crm_root / instance.name / "deployments" / deployment
    named = {part.name: (made or {})[part.name] for part in fields(Deployment) if part.name in (made or {})}
    try:
        said = Deployment(**named)
    except TypeError:
        return None
    is_apart = said.database not in {kept.database for kept in instance.kept}
    return said if is_apart and (said.id, said.directory) == (deployment, str(place)) else None
