"""What is pending: releases, Debian packages and advisories that wait, and what could not be asked, which is never the same as nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from packaging.version import InvalidVersion, Version

from appliance.domain.product import ProductDefinition
from appliance.domain.versions import order, reachable


class Way(StrEnum):
    """What a newer release means to an instance."""

    PATCH = "patch"
    """Of the same series."""
    UPGRADE = "upgrade"
    """Of a series that hops lead to, over others or at once."""
    BEYOND = "beyond"
    """Of another series: no hops lead there, or the definition does not know it yet."""


@dataclass(frozen=True, kw_only=True)
class PublishedRelease:
    """A release that the product's vendor has published, as its feed tells."""

    version: str
    published_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PendingRelease:
    """A newer release. One that the definition has no lock for is known of and cannot be installed yet."""

    version: str
    way: Way
    installable: bool
    published_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PendingPackage:
    """A Debian package of a host that apt has an update for; `security` says that it comes from Debian's security archive."""

    name: str
    installed: str
    candidate: str
    origin: str
    security: bool


@dataclass(frozen=True, kw_only=True)
class Advisory:
    """A known vulnerability of a package that an instance runs with; `severity` is empty where its source does not rate it."""

    id: str
    package: str
    version: str
    summary: str = ""
    fixed_in: tuple[str, ...] = ()
    severity: str = ""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What waits for a subject (an instance, or "host:NAME"), as it was asked at a moment. `problems` say what could not be asked.

    `rebuilt` says that the installed release has a new lock, so that a patch brings other packages of the same release.
    `reboot_required` is None for an instance, and for a host that could not be asked. `listed_at` is when apt's lists were fetched.
    """

    subject: str
    asked_at: datetime
    installed: str = ""
    rebuilt: bool = False
    releases: tuple[PendingRelease, ...] = ()
    packages: tuple[PendingPackage, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    reboot_required: bool | None = None
    restarts: tuple[str, ...] = ()
    listed_at: datetime | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether everything was asked and nothing waits."""
        return not (
            self.releases or self.rebuilt or self.packages or self.advisories or self.reboot_required or self.restarts or self.problems
        )

    @property
    def security_packages(self) -> tuple[PendingPackage, ...]:
        """Those with a security update."""
        return tuple(package for package in self.packages if package.security)

    def newest(self, way: Way) -> PendingRelease | None:
        """The newest release that is gone to in that way."""
        return next((release for release in reversed(self.releases) if release.way is way), None)

    def summary(self) -> str:
        """For people, in a line."""
        ways = [f"{way} to {release.version}" for way in (Way.PATCH, Way.UPGRADE) if (release := self.newest(way))]
        packages = f"{len(self.packages)} packages, {len(self.security_packages)} of them security" if self.packages else ""
        advisories = f"{len(self.advisories)} advisories" if self.advisories else ""
        restarts = f"{len(self.restarts)} services to restart" if self.restarts else ""
        found = [
            *ways,
            "a new lock" if self.rebuilt else "",
            packages,
            advisories,
            restarts,
            "reboot required" if self.reboot_required else "",
        ]
        unknown = [f"cannot be asked: {problem}" for problem in self.problems]
        return "; ".join(part for part in (*found, *unknown) if part) or "nothing pending"


def pending_releases(definition: ProductDefinition, installed: str, published: Iterable[PublishedRelease]) -> tuple[PendingRelease, ...]:
    """The releases newer than the installed one, the oldest first: those published, and those that the definition has besides.

    Pre-releases are left out. Raises NotFound when the definition does not know the installed release any more.
    """
    series = definition.release(installed).series
    dates = {release.version: release.published_at for release in published if _is_final(release.version)}
    known = {release.version: release.series for release in definition.releases}
    targets = {release.series for release in reachable(definition, installed)}
    versions = sorted({*dates, *known}, key=order)
    return tuple(
        PendingRelease(
            version=version,
            way=_way(known.get(version) or _series_of(definition, version), series, targets),
            installable=version in known,
            published_at=dates.get(version),
        )
        for version in versions
        if order(version) > order(installed)
    )


def _way(series: str | None, own: str, targets: set[str]) -> Way:
    if series == own:
        return Way.PATCH
    return Way.UPGRADE if series in targets else Way.BEYOND


def _series_of(definition: ProductDefinition, version: str) -> str | None:
    """The longest of the known series that the version's number begins with."""
    known = {release.series for release in definition.releases}
    return max((one for one in known if version == one or version.startswith(f"{one}.")), key=len, default=None)


def _is_final(version: str) -> bool:
    try:
        return not Version(version).is_prerelease
    except InvalidVersion:
        return False
