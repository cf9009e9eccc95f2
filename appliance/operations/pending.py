"""Ask what is pending for instances and hosts. Nothing is changed on them but apt's lists, which are fetched anew when they are old."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from appliance.domain.host import host_of_subject, subject_of
from appliance.domain.instance import Instance
from appliance.domain.pending import Pending, PendingPackage, pending_releases
from appliance.errors import ApplianceError, StepFailed
from appliance.hosts.reach import Reach, ask_script
from appliance.operations.machines import machine_of
from appliance.operations.telling_facts import tell_updates
from appliance.products.builds import build_of
from appliance.products.feeds import advisories, published
from appliance.wiring import Appliance

OLDEST_LISTS_SECONDS = 6 * 3600
LONGEST_SECONDS = 900
AT_ONCE = 8


def subjects_of(appliance: Appliance) -> list[str]:
    """All that can be asked: instances that serve, then hosts."""
    store = appliance.store
    instances = [one.name for one in store.instances.glances() if one.is_serving]
    return [*sorted(instances), *(host.subject for host in store.hosts.list())]


def look(appliance: Appliance, subjects: Iterable[str], *, now: datetime) -> list[Pending]:
    """Ask for each subject, at once, and write the answers down. Raises NotFound."""
    wanted = list(subjects)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda subject: pending_of(appliance, subject, now=now), wanted))
    for pending in found:
        appliance.store.pending.put(pending)
    appliance.store.pending.keep_only(set(subjects_of(appliance)) | set(wanted))
    tell_updates(appliance)
    return found


def pending_of(appliance: Appliance, subject: str, *, now: datetime) -> Pending:
    """What is pending for an instance or a host, with what could not be asked. Raises NotFound."""
    host = host_of_subject(subject)
    if host is None:
        return pending_of_instance(appliance, appliance.store.instances.get(subject), now=now)
    machine = machine_of(appliance, host, channel="pending")
    try:
        return pending_of_host(machine.reach, subject_of(host), now=now)
    except ApplianceError as error:
        return Pending(subject=subject, asked_at=now, problems=(str(error),))
    finally:
        machine.reach.close()


def pending_of_instance(appliance: Appliance, instance: Instance, *, now: datetime) -> Pending:
    """Newer releases by the product's feed, and advisories for the lock that it was installed from. Raises NotFound without the product."""
    product = appliance.catalogue.get(instance.product)
    definition, feed, offline = product.definition, product.definition.feed, appliance.settings.advisories_file
    problems: list[str] = [] if feed else [f"{definition.name} has no feed of new releases in its definition"]

    def asked(question: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
        try:
            return question()
        except ApplianceError as error:
            problems.append(str(error).rstrip("."))
            return ()

    news = asked(lambda: published(feed)) if feed else ()
    return Pending(
        subject=instance.name,
        asked_at=now,
        installed=instance.release,
        rebuilt=any(asked(lambda: (is_rebuilt(appliance, instance),))),
        releases=asked(lambda: pending_releases(definition, instance.release, news)),
        advisories=asked(lambda: advisories(product.lock_of(instance.release), offline)),
        problems=tuple(dict.fromkeys(problems)),
    )


def is_rebuilt(appliance: Appliance, instance: Instance) -> bool:
    """Whether the installed release would be built otherwise today: its lock was made anew. Raises NotFound, ConfigurationError."""
    return (
        instance.deployment is not None
        and build_of(appliance.catalogue.get(instance.product), instance.release) != instance.deployment.build
    )


def pending_of_host(reach: Reach, subject: str, *, now: datetime, oldest_lists_seconds: float = OLDEST_LISTS_SECONDS) -> Pending:
    """What apt has updates for on a host, and what waits for a restart. Raises StepFailed, HostUnreachable, HostRefused."""
    done = ask_script(reach, "see_updates", str(oldest_lists_seconds), timeout_seconds=LONGEST_SECONDS)
    try:
        seen = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise StepFailed(f"{reach.name} cannot be asked for its updates ({said})") from None
    return Pending(
        subject=subject,
        asked_at=now,
        packages=tuple(PendingPackage(**package) for package in seen["packages"]),
        reboot_required=seen["reboot_required"],
        restarts=tuple(seen["restarts"]),
        listed_at=None if seen["listed_at"] is None else datetime.fromtimestamp(seen["listed_at"], UTC),
        problems=tuple(seen["problems"]),
    )
