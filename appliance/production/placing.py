"""Put what the machine must know of a release into place: units, socket, the web server's site with its certificate, the command.

Run as a program by the release itself (`python -m appliance.production.placing`), since only it knows what it needs; nothing is started.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.certificates import Pair
from appliance.config import Settings, load_settings
from appliance.errors import ApplianceError, StepFailed
from appliance.production import proxy
from appliance.production.account import as_user
from appliance.production.certificate import pair_of_panel
from appliance.production.places import Places
from appliance.production.releases import switch_link
from appliance.production.services import UNITS, systemctl
from appliance.production.units import CERTIFICATE, UPGRADE, build_digest, tmpfiles_text, unit_texts
from appliance.setup.environment import environment_file, environment_file_text, kept_variables
from appliance.setup.files import write_if_changed
from appliance.wiring import open_appliance

ENABLED = (*UNITS, f"{CERTIFICATE}.timer", f"{UPGRADE}.service")


def place_units(settings: Settings, places: Places, release: Path) -> bool:
    """Write the units and let them start with the machine; whether any changed. Raises StepFailed."""
    digest = build_digest(settings, release)
    changed = [write_if_changed(places.units / name, text, mode=0o644) for name, text in unit_texts(settings, places, digest).items()]
    if write_if_changed(places.tmpfiles, tmpfiles_text(settings), mode=0o644) or not settings.run.is_dir():
        _make_volatile(places)
    if any(changed):
        systemctl("daemon-reload")
        systemctl("enable", "--quiet", *ENABLED)
        systemctl("start", f"{CERTIFICATE}.timer")
    return any(changed)


def place_site(settings: Settings, places: Places) -> bool:
    """Let nginx serve the panel with the certificate of today; whether anything changed. Raises StepFailed, InvalidRequest."""
    told = as_user(settings, lambda: _pair(settings))
    directory = proxy.lay_down(places, Pair(certificate=told["certificate"], key=told["key"]))
    is_changed = proxy.apply(settings, places, directory, hsts=told["is_own"])
    proxy.forget_other_certificates(places)
    return is_changed


def place_environment(settings: Settings, places: Places) -> bool:
    """Write what the processes start with; what an earlier run was given of indexes and proxies stays."""
    file = environment_file(settings)
    now = kept_variables(os.environ, places.current / "bin") | {"HOME": str(settings.home)}
    return write_if_changed(file, environment_file_text(read_environment(file) | now), mode=0o600)


def read_environment(file: Path) -> dict[str, str]:
    """What was written there."""
    lines = file.read_text().splitlines() if file.is_file() else []
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


def place_command(places: Places) -> bool:
    """Put `appliance` on the PATH, unless another file is there; whether anything was done."""
    wanted = places.current / "bin" / "appliance"
    link = places.command
    if link.is_symlink() and link.readlink() == wanted:
        return False
    if link.exists() and not link.is_symlink():
        return False
    link.parent.mkdir(parents=True, exist_ok=True)
    switch_link(link, wanted)
    return True


def _pair(settings: Settings) -> dict[str, Any]:
    pair, is_own = pair_of_panel(open_appliance(settings), datetime.now(UTC))
    return {"certificate": pair.certificate, "key": pair.key, "is_own": is_own}


def _make_volatile(places: Places) -> None:
    done = subprocess.run(["systemd-tmpfiles", "--create", str(places.tmpfiles)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"systemd-tmpfiles failed: {done.stderr.strip()}")


def main() -> int:
    """Place the release that this Python belongs to."""
    settings, places = load_settings(), Places()
    try:
        place_units(settings, places, Path(sys.prefix))
        place_site(settings, places)
        place_command(places)
    except ApplianceError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
