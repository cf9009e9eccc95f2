"""`appliance up --production`: from an installed release to a panel behind TLS that starts with the machine."""

import os
import re
import shutil
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import Settings, load_settings
from appliance.domain.names import check_domain
from appliance.errors import ApplianceError, InvalidRequest, PreflightFailed, StepFailed
from appliance.hosts.reach import Local
from appliance.operations.host_checks import WEB_SERVER
from appliance.operations.kinds.host_prepare import see_host
from appliance.production import placing, report, services
from appliance.production.account import as_user, make_directories, make_user
from appliance.production.places import USER, Places
from appliance.production.releases import RECORD, running, switch_link
from appliance.setup.files import write_if_changed
from appliance.setup.main_job import Job, create_administrator
from appliance.setup.progress import Progress, continued
from appliance.setup.up import SUCCEEDED, exit_code, explain
from appliance.wiring import open_appliance

STEPS = 4
EVALUATION = "opt/appliance/venv"


def run(*, domain: str | None, progress: Progress | None = None) -> int:
    """Bring everything up, printing each step; returns the exit code of the command line."""
    progress = progress or continued(steps=STEPS)
    try:
        return _run(domain, progress, Places())
    except ApplianceError as failure:
        explain(failure, progress)
        return exit_code(failure)


def _run(domain: str | None, progress: Progress, places: Places) -> int:
    done: list[str] = []
    settings = _settings(domain)
    check_machine(settings, places)
    release = Path(sys.prefix)
    prepared = _step(progress, "Preparing user, directories and settings", lambda: _prepare(settings, places, release))
    done += ["prepared the machine"] if prepared else []
    settings = load_settings()
    password = _make_administrator(settings, progress)
    done += ["created the administrator"] if password else []
    started = _step(progress, "Starting panel, worker and monitor", lambda: _start(settings, places, release))
    done += ["started panel, worker and monitor"] if started else []
    served = _step(progress, f"Serving https://{settings.panel_domain}/", lambda: placing.place_site(settings, places))
    done += ["put the panel behind TLS"] if served else []
    for line in report.lines(settings, done=done, password=password):
        progress.say(line)
    return SUCCEEDED


def _step(progress: Progress, title: str, work: Callable[[], bool]) -> bool:
    with progress.step(title):
        return work()


def check_machine(settings: Settings, places: Places) -> None:
    """Refuse by name what cannot work, before anything is changed. Raises InvalidRequest, PreflightFailed."""
    if os.geteuid() != 0:
        raise InvalidRequest("This changes the machine and must be run as root; nothing was changed. Run: sudo bin/up --production")
    facts = see_host(Local())
    problems = [_taken(port, program) for port, program in facts["ports"].items() if program != WEB_SERVER]
    if not facts["systemd"]:
        problems.append("systemd is not PID 1 here, which keeps the processes alive in production; use a machine of its own, or bin/up")
    if (places.root / EVALUATION).exists():
        problems.append(f"/{EVALUATION} belongs to an appliance that runs as root (bin/up without --production); use another machine")
    if not (Path(sys.prefix) / RECORD).is_file():
        problems.append(f"{sys.prefix} is not a release; run bin/up --production")
    problems += [f"{name} is not installed; run bin/up --production" for name in ("nginx", "ssh") if shutil.which(name) is None]
    if settings.panel_listen != Settings().panel_listen:
        problems.append("panel_listen is set, but in production nginx comes to the panel by a socket; take it out of appliance.toml")
    if problems:
        raise PreflightFailed(tuple(problems))


def _taken(port: str, program: str) -> str:
    return f"{program} listens on port {port}, where the panel is to answer; stop and disable it, or use another machine"


def _settings(domain: str | None) -> Settings:
    """What the settings will say; nothing is written. Raises InvalidRequest, ConfigurationError."""
    known = load_settings()
    wanted = check_domain(domain or known.panel_domain or socket.getfqdn())
    return known.model_copy(update={"production": True, "panel_domain": wanted})


def _prepare(settings: Settings, places: Places, release: Path) -> bool:
    changed = [make_user(settings), make_directories(settings)]
    changed.append(write_settings(settings))
    changed.append(placing.place_environment(settings, places))
    if running(places) is None:
        switch_link(places.current, release)
        changed.append(True)
    elif running(places) != release:
        raise StepFailed(f"{places.current} names another release than {release}; run bin/up --production, which upgrades it.")
    changed.append(placing.place_command(places))
    return any(changed)


def write_settings(settings: Settings) -> bool:
    """Write into the settings file what production says; every other line stays. For root and the appliance's group alone."""
    file = settings.etc / "appliance.toml"
    text = with_settings(file.read_text() if file.is_file() else "", production="true", panel_domain=f'"{settings.panel_domain}"')
    is_changed = write_if_changed(file, text, mode=0o640)
    shutil.chown(file, "root", USER)
    return is_changed


def with_settings(text: str, **values: str) -> str:
    """The text of a settings file with these lines in it, at the beginning where they are new."""
    for name, value in values.items():
        line, known = f"{name} = {value}", re.search(rf"(?m)^{name}\s*=.*$", text)
        text = text[: known.start()] + line + text[known.end() :] if known else f"{line}\n{text}"
    return text


def _make_administrator(settings: Settings, progress: Progress) -> str | None:
    """The one-time password, when there was no user yet."""
    has_users = as_user(settings, lambda: {"users": len(open_appliance(settings).store.access.users())})["users"]
    if has_users:
        progress.skip("Creating the administrator")
        return None

    def make() -> dict[str, str | None]:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - said below, when it is known to be kept
            job = Job(appliance=open_appliance(settings), progress=Progress(total=1, stream=nowhere), now=lambda: datetime.now(UTC))
            return {"password": create_administrator(job)}

    with progress.step("Creating the administrator"):
        password = as_user(settings, make)["password"]
    return str(password)


def _start(settings: Settings, places: Places, release: Path) -> bool:
    is_changed = placing.place_units(settings, places, release)
    is_down = any(services.systemd_state(unit) != "active" for unit in services.UNITS)
    if is_changed or is_down:
        services.start()
    services.await_ready(settings, places, release)
    return is_changed or is_down
