"""A product definition: everything the appliance knows about one CRM, as data. Explained in docs/product-definitions.md."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from appliance.domain.product_parts import (
    Anonymisation,
    ConfigFile,
    Database,
    Environment,
    Metrics,
    Name,
    Part,
    Proxy,
    Runtime,
    RuntimeLimits,
    Secret,
    State,
    Users,
    VersionText,
)
from appliance.domain.product_probes import FormLoginProbe, JsonRpcLoginProbe, Probe, Probes
from appliance.domain.product_releases import Feed, PackageLock, ProductClass, Release
from appliance.domain.product_settings import Setting, Value, changes, complete, in_force
from appliance.domain.product_steps import Hop, Patch, Service, Step, Upgrade
from appliance.errors import NotFound


class ProductDefinition(Part):
    """One CRM. Loading checks that its parts fit together; `appliance.products.catalogue` checks its files as well."""

    id: Name
    name: str
    license: str
    summary: str
    homepage: str | None = None
    product_class: ProductClass = Field(alias="class")
    runtime: Runtime
    database: Database
    settings: tuple[Setting, ...] = ()
    secrets: tuple[Secret, ...] = ()
    environment: Environment = Field(default_factory=dict)
    build_environment: Environment = Field(default_factory=dict)
    build_tools: PackageLock | None = None
    config: tuple[ConfigFile, ...] = ()
    releases: Annotated[tuple[Release, ...], Field(min_length=1)]
    default_release: VersionText
    support_ends: dict[VersionText, date] = Field(default_factory=dict)
    feed: Feed | None = None
    prebuild: tuple[Step, ...] = ()
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    proxy: Proxy = Proxy()
    install: Annotated[tuple[Step, ...], Field(min_length=1)]
    patch: Patch
    upgrade: Upgrade = Upgrade()
    probes: Probes
    metrics: Metrics
    users: Users
    state: State
    anonymise: tuple[Anonymisation, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> "ProductDefinition":
        problems = [*self._repeated_names(), *self._release_problems(), *self._hop_problems(), *self._secret_problems()]
        if sum(service.serves for service in self.services) != 1:
            problems.append("services: exactly one service must have 'serves: true'")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated_names(self) -> Iterable[str]:
        groups = {
            "releases": [release.version for release in self.releases],
            "settings": [setting.name for setting in self.settings],
            "secrets": [secret.name for secret in self.secrets],
            "services": [service.name for service in self.services],
            "install": [step.name for step in self.install],
            "prebuild": [step.name for step in self.prebuild],
            "patch.steps": [step.name for step in self.patch.steps],
        }
        for field, names in groups.items():
            for name, number in Counter(names).items():
                if number > 1:
                    yield f"{field}: '{name}' occurs {number} times"

    def _release_problems(self) -> Iterable[str]:
        for release in self.releases:
            for field in release.missing_for(self.product_class):
                yield f"releases: {release.version} lacks '{field}', which class '{self.product_class}' needs"
            if release.node and not self.build_tools:
                yield f"releases: {release.version} has 'node', and no 'build_tools' bring npm"
        if self.default_release not in {release.version for release in self.releases}:
            yield f"default_release: {self.default_release} is not among the releases"
        for series in sorted(self.support_ends.keys() - {release.series for release in self.releases}):
            yield f"support_ends: no release belongs to series {series}"

    def _hop_problems(self) -> Iterable[str]:
        known = {release.series for release in self.releases}
        for number, hop in enumerate(self.upgrade.hops):
            for series in (hop.source, hop.target):
                if series not in known:
                    yield f"upgrade.hops.{number}: no release belongs to series {series}"
        for pair, number in Counter((hop.source, hop.target) for hop in self.upgrade.hops).items():
            if number > 1:
                yield f"upgrade.hops: {pair[0]} to {pair[1]} occurs {number} times"

    def _secret_problems(self) -> Iterable[str]:
        known = {secret.name for secret in self.secrets}
        used = {"users.admin_secret": self.users.admin_secret, "users.monitor_secret": self.users.monitor_secret}
        for place, probe in self.all_probes():
            if isinstance(probe, FormLoginProbe | JsonRpcLoginProbe):
                used[f"{place}.secret"] = probe.secret
        for field, secret in used.items():
            if secret not in known:
                yield f"{field}: there is no secret '{secret}'"

    def release(self, version: str) -> Release:
        """The release of this version; raises NotFound naming the newest ones."""
        for release in self.releases:
            if release.version == version:
                return release
        known = ", ".join(release.version for release in self.releases[-5:])
        raise NotFound(f"{self.name} {version} is not known here; the last known releases are {known}. Nothing was changed.")

    def runtime_of(self, version: str) -> RuntimeLimits:
        """What the release runs in, where it differs from the product's other releases."""
        return self.release(version).runtime or self.runtime

    def probes_of(self, version: str) -> dict[str, Probe]:
        """The probes by name, as the release answers them."""
        return self.probes.by_name() | {str(name): probe for name, probe in self.release(version).probes.items()}

    def all_probes(self) -> Iterable[tuple[str, Probe]]:
        """Every probe with its place in the definition: the product's, and those of releases that answer differently."""
        for name, probe in self.probes.by_name().items():
            yield f"probes.{name}", probe
        for release in self.releases:
            for own, probe in release.probes.items():
                yield f"releases: {release.version}: probes.{own}", probe

    def prebuild_of(self, version: str) -> tuple[Step, ...]:
        """The steps that finish building the release."""
        own = self.release(version).prebuild
        return self.prebuild if own is None else own

    def complete_settings(self, given: dict[str, Any]) -> dict[str, Value]:
        """All settings with the given values checked and the others at their defaults; raises InvalidRequest."""
        return complete(self.settings, given)

    def settings_in_force(self, kept: Mapping[str, Any]) -> dict[str, Value]:
        """All settings of a CRM that keeps these: what the product has got since is at its default."""
        return in_force(self.settings, kept)

    def changed_settings(self, kept: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Value]:
        """What of the given values a CRM that keeps these does not have; raises InvalidRequest, and Conflict for nothing."""
        return changes(self.settings, kept, given)

    def hop(self, source: str, target: str) -> Hop | None:
        """The hop between two series, if the vendor allows it."""
        return next((hop for hop in self.upgrade.hops if (hop.source, hop.target) == (source, target)), None)

    def for_playbooks(self, directory: Path) -> dict[str, Any]:
        """The definition as JSON values, with the absolute path of its directory, for a playbook's variables."""
        left_out = {"releases", "support_ends", "metrics", "probes", "anonymise", "feed"}
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=left_out) | {"directory": str(directory)}


def json_schema() -> dict[str, Any]:
    """What editors use to check and complete a definition while it is written; kept in docs/product-definition.schema.json."""
    return ProductDefinition.model_json_schema(by_alias=True) | {"title": "Product definition of CRM Appliance"}
