"""The product definitions that are at hand: those shipped with the appliance, and an administrator's own.

Every directory that holds a `product.yml` is one. An own definition with the id of a shipped one takes its place.
"""

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from appliance.domain.product import ProductDefinition
from appliance.domain.product_releases import Release
from appliance.errors import ConfigurationError, NotFound
from appliance.products.placeholders import placeholder_problems, release_template_problem
from appliance.products.support import unsupported

SHIPPED = Path(__file__).resolve().parent
FILE_NAME = "product.yml"
DEFAULT = SHIPPED / "default"
"""Names the product that a new appliance begins with."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class Product:
    """A definition and the directory that its templates, scripts and locks lie in."""

    definition: ProductDefinition
    directory: Path

    def file(self, name: str) -> Path:
        """The absolute path of a file of the definition."""
        return self.directory / name

    def lock_of(self, version: str) -> Path:
        """The release's lock file, after its digest was compared; raises NotFound or ConfigurationError."""
        release = self.definition.release(version)
        if problems := lock_problems(self.directory, self.definition, release):
            raise ConfigurationError(f"{'; '.join(problems)}. Nothing was changed.")
        if not release.lock:
            raise ConfigurationError(f"{version} has no lock file. Nothing was changed.")
        return self.file(release.lock)

    def made_from(self, version: str) -> list[Path]:
        """The files of the definition that a release is built from, besides its lock."""
        definition = self.definition
        names = [config.template for config in definition.config]
        names += [step.stdin for step in definition.prebuild_of(version) if step.stdin]
        if (node := definition.release(version).node) and definition.build_tools:
            names += [f"{node.directory}/package.json", node.lock, definition.build_tools.lock]
        return [self.file(name) for name in names]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A definition as it lies there: the product, or the problems that keep it from being used. `takes_place` is of a shipped one."""

    id: str
    directory: Path
    is_own: bool
    takes_place: bool
    product: Product | None
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Looks definitions up by id."""

    directories: tuple[Path, ...]

    def list(self) -> tuple[Product, ...]:
        """The products that can be used, by name; a broken definition hides no other, and `entries` tells of it."""
        found = (entry.product for entry in self.entries())
        return tuple(sorted((product for product in found if product), key=lambda product: product.definition.name))

    def entries(self) -> tuple[Entry, ...]:
        """Every definition by id, those that cannot be used with what is wrong with them."""
        return tuple(self._entry(product_id, path) for product_id, path in sorted(self._paths().items()))

    def entry(self, product_id: str) -> Entry:
        """One definition, with all that `check` finds, files and hashes too. Raises NotFound with the ids there are."""
        path = self._path(product_id)
        return replace(self._entry(product_id, path), problems=tuple(_all_problems(path)))

    def require(self, product_id: str) -> None:
        """Raises NotFound, with the ids there are, where there is no definition of that id, be it broken."""
        self._path(product_id)

    def get(self, product_id: str) -> Product:
        """One product; raises NotFound with the ids there are. The definition of another product may be broken."""
        return load(self._path(product_id))

    def default(self, chosen: str = "") -> Product:
        """The product that a new appliance begins with: the chosen one, or else the one that the shipped definitions name."""
        return self.get(chosen or DEFAULT.read_text().strip())

    def _entry(self, product_id: str, path: Path) -> Entry:
        definition, problems = _usable(path)
        return Entry(
            id=product_id,
            directory=path.parent,
            is_own=path.parent.parent != SHIPPED,
            takes_place=path.parent.parent != SHIPPED and (SHIPPED / product_id / FILE_NAME).is_file(),
            product=None if definition is None else Product(definition=definition, directory=path.parent),
            problems=tuple(problems),
        )

    def _path(self, product_id: str) -> Path:
        paths = self._paths()
        if product_id not in paths:
            raise NotFound(f"There is no product '{product_id}'; there are: {', '.join(sorted(paths)) or 'none'}. Nothing was changed.")
        return paths[product_id]

    def _paths(self) -> dict[str, Path]:
        """Definitions by the name of their directory, which is their id; later directories win."""
        return {path.parent.name: path for directory in self.directories for path in sorted(directory.glob(f"*/{FILE_NAME}"))}


def open_catalogue(own: Path | None = None) -> Catalogue:
    """The shipped definitions and those in the administrator's own directory."""
    return Catalogue(directories=(SHIPPED, own) if own else (SHIPPED,))


def load(path: Path) -> Product:
    """The definition in this file; raises ConfigurationError that names the file and every field that is wrong."""
    definition, problems = _usable(path)
    if definition is None:
        raise ConfigurationError(f"The product definition {path} cannot be used: {'; '.join(problems)}. Nothing was changed.")
    return Product(definition=definition, directory=path.parent)


def _usable(path: Path) -> tuple[ProductDefinition | None, list[str]]:
    """The definition if nothing is wrong with it, otherwise what is."""
    read = _read(path)
    problems = [*read.problems, *(unsupported(read.definition) if read.definition else ())]
    return (None if problems else read.definition), problems


def check(path: Path) -> list[str]:
    """Every problem of the definition in this file or directory, one line each; empty if there is none."""
    path = path / FILE_NAME if path.is_dir() else path
    return [f"{path}: {problem}" for problem in _all_problems(path)]


def _all_problems(path: Path) -> list[str]:
    read = _read(path)
    if read.definition is None:
        return list(read.problems)
    return [*unsupported(read.definition), *_file_problems(path.parent, read.definition), *read.placeholder_problems]


def lock_problems(directory: Path, definition: ProductDefinition, release: Release) -> list[str]:
    """What is wrong with the release's lock files, if anything: a lock that was changed since is never installed from."""
    locks = [(release.lock, release.lock_sha256)]
    if release.node and definition.build_tools:
        locks += [(part.lock, part.lock_sha256) for part in (release.node, definition.build_tools)]
    found = (_lock_problem(directory / name, str(digest), release.version) for name, digest in locks if name)
    return [problem for problem in found if problem]


def _lock_problem(path: Path, digest: str, version: str) -> str | None:
    if not path.is_file():
        return f"the lock file {path} of release {version} is missing"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        return (
            f"the lock file {path} of release {version} has a wrong hash: the definition says sha256 {digest}, "
            f"the file has {found}; put the original file back, or lock the release anew and write the new hash into {FILE_NAME}"
        )
    return None


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A definition that is one, or why it is none."""

    definition: ProductDefinition | None = None
    problems: tuple[str, ...] = ()

    @functools.cached_property
    def placeholder_problems(self) -> tuple[str, ...]:
        """Found when they are asked for: each placeholder is compiled."""
        return tuple(placeholder_problems(self.definition)) if self.definition else ()


def _read(path: Path) -> _Read:
    """What the file says, read again only when it has changed; one that could not be read is tried again each time."""
    try:
        found = path.stat()
        return _read_anew(path, found.st_mtime_ns, found.st_size, found.st_ino)
    except OSError as error:
        return _Read(problems=(f"it cannot be read ({error.strerror})",))


@functools.lru_cache(maxsize=64)
def _read_anew(path: Path, *_stamp: int) -> _Read:
    """Raises OSError, which is remembered by nobody."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - the safe loader, in C where there is one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return _Read(problems=(f"it is no YAML ({' '.join(str(error).split())})",))
    if not isinstance(content, dict):
        return _Read(problems=("it holds no fields",))
    try:
        definition = ProductDefinition.model_validate(content)
    except ValidationError as error:
        return _Read(problems=tuple(_describe(dict(problem)) for problem in error.errors(include_url=False)))
    if definition.id != path.parent.name:
        return _Read(problems=(f"id: '{definition.id}' is not the name of its directory, '{path.parent.name}'",))
    return _Read(definition=definition)


def _describe(problem: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def _file_problems(directory: Path, definition: ProductDefinition) -> Iterable[str]:
    for field, name in _named_files(definition):
        if not (directory / name).is_file():
            yield f"{field}: there is no file {name}"
    for release in definition.releases:
        yield from (f"releases: {problem}" for problem in lock_problems(directory, definition, release))
    for number, config in enumerate(definition.config):
        file = directory / config.template
        if config.scope == "release" and file.is_file() and (problem := release_template_problem(file.read_text(encoding="utf-8"))):
            yield f"config.{number}: {config.template}: {problem}"


def _named_files(definition: ProductDefinition) -> Iterable[tuple[str, str]]:
    steps = [("install", definition.install), ("patch.steps", definition.patch.steps), ("prebuild", definition.prebuild)]
    steps += [(f"releases: {release.version}: prebuild", release.prebuild or ()) for release in definition.releases]
    steps += [(f"upgrade.hops.{number}.steps", hop.steps) for number, hop in enumerate(definition.upgrade.hops)]
    for field, group in steps:
        for number, step in enumerate(group):
            if named := step.stdin or step.sql_file:
                yield f"{field}.{number}", named
    for number, hop in enumerate(definition.upgrade.hops):
        if hop.pre_sql:
            yield f"upgrade.hops.{number}.pre_sql", hop.pre_sql
    for number, config in enumerate(definition.config):
        yield f"config.{number}.template", config.template
    for place, probe in definition.all_probes():
        if probe.kind == "cmd" and probe.stdin:
            yield f"{place}.stdin", probe.stdin
    for release in definition.releases:
        if release.node:
            yield f"releases: {release.version}: node", f"{release.node.directory}/package.json"
