"""Exact pins: what a release consists of, in each of the four classes of products."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.domain.product_parts import Part, RelativePath, RuntimeLimits, VersionText
from appliance.domain.product_probes import Probe, ProbeName
from appliance.domain.product_steps import Step

ProductClass = Literal["wheel", "archive", "deb", "installer"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

REQUIRED_BY_CLASS: dict[str, tuple[str, ...]] = {
    "wheel": ("package", "lock", "lock_sha256"),
    "archive": ("artifact",),
    "deb": ("packages",),
    "installer": ("artifact",),
}


class Artifact(Part):
    """A file of the vendor's with its digest, from an address or from the definition's own directory."""

    url: Annotated[str, Field(pattern=r"^https://")] | None = None
    file: RelativePath | None = None
    sha256: Sha256
    type: Literal["tar", "zip", "executable"] = "tar"
    strip_components: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> "Artifact":
        if (self.url is None) == (self.file is None):
            raise ValueError("an artifact has either 'url' or 'file'")
        return self


class PypiFeed(Part):
    """Where new releases are published: a package on the package index that the machine's pip uses."""

    kind: Literal["pypi"]
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class DirectoryFeed(Part):
    """The same without a network: a directory on the appliance's machine that wheels and source archives of a package are put into."""

    kind: Literal["directory"]
    path: Annotated[str, Field(pattern=r"^/")]
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


Feed = Annotated[PypiFeed | DirectoryFeed, Field(discriminator="kind")]


class Companion(Part):
    """Something else that must match the series, such as a web client."""

    name: str
    artifact: Artifact
    dest: RelativePath


class PackageLock(Part):
    """Packages of Python's, pinned with their digests."""

    lock: RelativePath
    lock_sha256: Sha256


class NodePackages(Part):
    """Packages of npm's that a release is built from: a directory of the definition with `package.json` and `package-lock.json`."""

    directory: RelativePath
    lock_sha256: Sha256

    @property
    def lock(self) -> str:
        """npm's own lock file."""
        return f"{self.directory}/package-lock.json"


class Release(Part):
    """One version that can be installed. `probes` replaces the product's own where a series answers differently."""

    version: VersionText
    series: VersionText
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(\[[A-Za-z0-9._,-]+\])?==\S+$")] | None = None
    lock: RelativePath | None = None
    lock_sha256: Sha256 | None = None
    node: NodePackages | None = None
    artifact: Artifact | None = None
    packages: tuple[str, ...] = ()
    companions: tuple[Companion, ...] = ()
    runtime: RuntimeLimits | None = None
    prebuild: tuple[Step, ...] | None = None
    probes: dict[ProbeName, Probe] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _belongs_to_its_series(self) -> "Release":
        if self.version != self.series and not self.version.startswith(f"{self.series}."):
            raise ValueError(f"release {self.version} does not belong to series {self.series}")
        return self

    def missing_for(self, product_class: str) -> list[str]:
        """Fields that a release of this class must have and this one has not."""
        return [name for name in REQUIRED_BY_CLASS[product_class] if not getattr(self, name)]
