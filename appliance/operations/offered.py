"""What can be installed here, as panel, API and command line tell it: the definitions, and the CRMs that were made of them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appliance.domain.pending import Pending, PendingRelease, Way
from appliance.domain.product import ProductDefinition
from appliance.domain.versions import in_order, order
from appliance.products.catalogue import Entry
from appliance.wiring import Appliance


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A definition, and how many CRMs of this appliance are of it. `newest_release` is empty where it cannot be used."""

    entry: Entry
    newest_release: str
    instances: int


@dataclass(frozen=True, kw_only=True)
class SeriesTold:
    """A series: its releases, newest first, the series that an upgrade leads to, and until when its vendor supports it, if known."""

    series: str
    releases: tuple[str, ...]
    leads_to: tuple[str, ...]
    support_ends: date | None


@dataclass(frozen=True, kw_only=True)
class Use:
    """A CRM of a product. `waiting` are the newest patch and the newest upgrade that can be installed, as was found `asked_at`."""

    instance: str
    release: str
    waiting: tuple[PendingRelease, ...]
    asked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ProductTold:
    """One definition, and how many CRMs are of each release. `unlocked` are published releases that it has no lock for yet."""

    entry: Entry
    series: tuple[SeriesTold, ...]
    instances: Mapping[str, str]
    """The release of each CRM of it, by name."""
    unlocked: tuple[str, ...]


def listed_products(appliance: Appliance) -> list[Listed]:
    """Every definition by id, those too that cannot be used."""
    used = Counter(one.product for one in appliance.store.instances.glances())
    return [_listed(entry, used[entry.id]) for entry in appliance.catalogue.entries()]


def product_told(appliance: Appliance, product_id: str) -> ProductTold:
    """One definition, checked whole. Raises NotFound."""
    entry = appliance.catalogue.entry(product_id)
    instances = _releases(appliance, product_id)
    one_of_each = {release: name for name, release in instances.items()}.values()
    known = {release.version for release in entry.product.definition.releases} if entry.product else set()
    return ProductTold(
        entry=entry,
        series=series_of(entry.product.definition) if entry.product else (),
        instances=instances,
        unlocked=_unlocked(appliance.store.pending.some(one_of_each), known),
    )


def releases_of(appliance: Appliance, product_id: str) -> Mapping[str, str]:
    """The release of each CRM of a product, by name. Raises NotFound when there is no such product, broken ones counted."""
    appliance.catalogue.require(product_id)
    return _releases(appliance, product_id)


def uses_of(appliance: Appliance, instances: Mapping[str, str]) -> list[Use]:
    """What waits for these CRMs, whose releases are given by name, by name."""
    answers = {one.subject: one for one in appliance.store.pending.some(instances.keys())}
    return [_use(name, release, answers.get(name)) for name, release in instances.items()]


def series_of(definition: ProductDefinition) -> tuple[SeriesTold, ...]:
    """The newest first."""
    releases = in_order(definition)[::-1]
    names = sorted({release.series for release in releases}, key=order, reverse=True)
    return tuple(
        SeriesTold(
            series=series,
            releases=tuple(release.version for release in releases if release.series == series),
            leads_to=tuple(hop.target for hop in definition.upgrade.hops if hop.source == series),
            support_ends=definition.support_ends.get(series),
        )
        for series in names
    )


def _releases(appliance: Appliance, product_id: str) -> dict[str, str]:
    return {one.name: one.release for one in appliance.store.instances.glances() if one.product == product_id}


def _listed(entry: Entry, instances: int) -> Listed:
    newest = in_order(entry.product.definition)[-1].version if entry.product else ""
    return Listed(entry=entry, newest_release=newest, instances=instances)


def _use(instance: str, release: str, answer: Pending | None) -> Use:
    """What was pending before the last upgrade, and is older now, waits no more."""
    newer = [one for one in answer.releases if order(one.version) > order(release)] if answer else []
    newest = (_newest(one for one in newer if one.way is way) for way in (Way.PATCH, Way.UPGRADE))
    return Use(
        instance=instance,
        release=release,
        waiting=tuple(one for one in newest if one),
        asked_at=answer.asked_at if answer else None,
    )


def _newest(releases: Iterable[PendingRelease]) -> PendingRelease | None:
    """The newest that can be installed, or else of those that cannot be yet."""
    return max(releases, key=lambda one: (one.installable, order(one.version)), default=None)


def _unlocked(answers: Iterable[Pending], known: Collection[str]) -> tuple[str, ...]:
    found = {release.version for answer in answers for release in answer.releases if not release.installable}
    return tuple(sorted(found.difference(known), key=order))
