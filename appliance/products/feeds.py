"""Learn of new releases and of advisories: from where the product's definition says, or without a network from files on this machine."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from appliance.domain.pending import Advisory, PublishedRelease
from appliance.domain.product_releases import DirectoryFeed, Feed
from appliance.products.package_index import NotAsked, PackageIndex, open_index, version_of

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
AT_ONCE = 8


def published(feed: Feed, index: Callable[[], PackageIndex] = open_index) -> tuple[PublishedRelease, ...]:
    """The releases that a feed tells of, in no order. Raises NotAsked, ConfigurationError."""
    if isinstance(feed, DirectoryFeed):
        return _in_directory(Path(feed.path), feed.package)
    return index().releases(feed.package)


def _in_directory(directory: Path, package: str) -> tuple[PublishedRelease, ...]:
    try:
        files = [(file.name, file.stat().st_mtime) for file in directory.iterdir()]
    except OSError as error:
        raise NotAsked(f"{directory} cannot be read ({error.strerror})") from None
    dates: dict[str, float] = {}
    for name, changed in files:
        if version := version_of(name, package):
            dates[version] = min(changed, dates.get(version, changed))
    return tuple(PublishedRelease(version=version, published_at=datetime.fromtimestamp(date, UTC)) for version, date in dates.items())


def pins(lock: Path) -> tuple[tuple[str, str], ...]:
    """The packages of a lock with their versions."""
    return tuple((name, version) for name, version in PINNED.findall(lock.read_text()))


def advisories(lock: Path, offline: Path, index: Callable[[], PackageIndex] = open_index) -> tuple[Advisory, ...]:
    """What is known against the packages of a lock: by the file for use without a network where there is one, else by the index.

    Raises NotAsked, ConfigurationError.
    """
    if offline.exists():
        return _in_file(offline, pins(lock))
    asked = index()
    first, *others = pins(lock)
    found = [asked.advisories(*first)]  # an index that does not tell any is asked once
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found += pool.map(lambda pin: asked.advisories(*pin), others)
    return tuple(advisory for part in found for advisory in part)


def _in_file(file: Path, pinned: tuple[tuple[str, str], ...]) -> tuple[Advisory, ...]:
    versions = {canonicalize_name(name): version for name, version in pinned}
    try:
        listed = json.loads(file.read_text())["advisories"]
        return tuple(
            Advisory(
                id=str(one["id"]),
                package=str(one["package"]),
                version=versions[name],
                summary=str(one.get("summary", "")),
                fixed_in=tuple(map(str, one.get("fixed_in", ()))),
                severity=str(one.get("severity", "")),
            )
            for one in listed
            if (name := canonicalize_name(one["package"])) in versions and versions[name] in SpecifierSet(one["affected"])
        )
    except (OSError, ValueError, KeyError, TypeError, InvalidSpecifier) as error:
        raise NotAsked(f"{file} is not a file of advisories ({type(error).__name__}: {error})") from None
