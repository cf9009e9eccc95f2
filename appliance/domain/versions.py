"""The order of releases, and the way from one to another that the vendor allows."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from packaging.version import Version

from appliance.domain.product import ProductDefinition
from appliance.domain.product_parts import Reversible
from appliance.domain.product_releases import Release
from appliance.domain.product_steps import Check, Hop, Step
from appliance.errors import InvalidRequest


class Move(StrEnum):
    """The two ways to a newer release."""

    PATCH = "patch"
    """Within a series: security and bug fixes."""
    UPGRADE = "upgrade"
    """To the next series."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """One move that can be carried out at once."""

    move: Move
    source: Release
    target: Release
    reversible: Reversible
    steps: tuple[Step, ...]
    hop: Hop | None = None

    @property
    def pre_checks(self) -> tuple[Check, ...]:
        """Questions to the database before anything changes."""
        return self.hop.pre_check if self.hop else ()

    @property
    def post_checks(self) -> tuple[Check, ...]:
        """Questions to the database after the steps."""
        return self.hop.post_check if self.hop else ()


def order(version: str) -> Version:
    """A key to sort versions by; 2.10 comes after 2.9."""
    return Version(version)


def in_order(definition: ProductDefinition) -> tuple[Release, ...]:
    """All releases, the oldest first."""
    return tuple(sorted(definition.releases, key=lambda release: order(release.version)))


def newest(definition: ProductDefinition, series: str) -> Release:
    """The last release of a series."""
    return [release for release in in_order(definition) if release.series == series][-1]


def patches(definition: ProductDefinition, version: str) -> tuple[Release, ...]:
    """Newer releases of the same series, the oldest first."""
    current = definition.release(version)
    later = [release for release in in_order(definition) if order(release.version) > order(version)]
    return tuple(release for release in later if release.series == current.series)


def reachable(definition: ProductDefinition, version: str) -> tuple[Release, ...]:
    """Every release that one operation leads to, over other series too, the oldest first."""
    series = definition.release(version).series
    later = [release for release in in_order(definition) if order(release.version) > order(version)]
    return tuple(release for release in later if release.series == series or _route(definition, series, release.series))


def plan(definition: ProductDefinition, from_release: str, to_release: str, *, anew: bool = False) -> Path:
    """The move between two releases; raises InvalidRequest or NotFound, saying what would work instead.

    `anew` allows the same release, built from another lock: a patch of what it runs with.
    """
    source, target = definition.release(from_release), definition.release(to_release)
    if not (anew and source.version == target.version):
        _refuse_standstill_and_downgrade(definition, source, target)
    if source.series == target.series:
        patch = definition.patch
        return Path(move=Move.PATCH, source=source, target=target, reversible=patch.reversible, steps=patch.steps)
    hop = definition.hop(source.series, target.series)
    if hop is None:
        raise _refused(_explain_jump(definition, source, target))
    return Path(move=Move.UPGRADE, source=source, target=target, reversible=hop.reversible, steps=hop.steps, hop=hop)


def itinerary(definition: ProductDefinition, from_release: str, to_release: str, *, anew: bool = False) -> tuple[Path, ...]:
    """The moves that lead to a release in one operation, over the newest release of each series between; raises like `plan`."""
    stops = waypoints(definition, from_release, to_release)
    if len(stops) < 2:  # noqa: PLR2004 - one stop is the target itself
        return (plan(definition, from_release, to_release, anew=anew),)
    return tuple(plan(definition, start, stop) for start, stop in pairwise([from_release, *(release.version for release in stops)]))


def waypoints(definition: ProductDefinition, from_release: str, to_release: str) -> tuple[Release, ...]:
    """The releases to upgrade to, one after the other, the last being the target; empty if there is no way."""
    source, target = definition.release(from_release), definition.release(to_release)
    route = _route(definition, source.series, target.series)
    if not route or order(target.version) <= order(source.version):
        return ()
    return (*(newest(definition, series) for series in route[1:-1]), target)


def _refuse_standstill_and_downgrade(definition: ProductDefinition, source: Release, target: Release) -> None:
    if source.version == target.version:
        raise _refused(f"{definition.name} is already at {source.version}. Nothing was changed.")
    if order(target.version) < order(source.version):
        raise _refused(
            f"{target.version} is older than {source.version}, and {definition.name} cannot read newer data with older code. "
            "Nothing was changed. To go back, roll back the last upgrade or restore a recovery point."
        )


def _explain_jump(definition: ProductDefinition, source: Release, target: Release) -> str:
    refusal = f"{definition.name} cannot go from {source.version} to {target.version} at once"
    if not waypoints(definition, source.version, target.version):
        return f"{refusal}, and no way over other series is known. Nothing was changed."
    return f"{refusal}. Nothing was changed."


def _route(definition: ProductDefinition, start: str, goal: str) -> tuple[str, ...]:
    """The series along the shortest chain of hops, both ends included; empty if there is none."""
    seen = {start}
    waiting: deque[tuple[str, ...]] = deque([(start,)])
    while waiting:
        route = waiting.popleft()
        if route[-1] == goal:
            return route
        for hop in definition.upgrade.hops:
            if hop.source == route[-1] and hop.target not in seen:
                seen.add(hop.target)
                waiting.append((*route, hop.target))
    return ()


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, field="release")
