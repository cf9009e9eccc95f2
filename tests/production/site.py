"""A production machine of the lab, and a visitor of its panel who trusts nothing but its authority."""

import json
import re
import shlex
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.lab import places
from tests.lab.host import LabHost
from tests.lab.remote import Ended

DOMAIN = "panel.example.org"
PATIENCE_SECONDS = 90
UNFINISHED = ("queued", "running")


@dataclass(kw_only=True)
class Site:
    """The appliance in production on a lab host."""

    host: LabHost
    trusted: str = field(default="", init=False)
    """What its visitors trust; its authority, unless a test says otherwise."""

    def command(self, line: str) -> Ended:
        """Run `appliance …` as root."""
        return self.host.run(f"appliance {line}", check=False)

    def done(self, line: str) -> str:
        """The same, and it has to succeed."""
        ended = self.command(line)
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
        return ended.stdout

    @property
    def authority(self) -> str:
        """The certificate of its authority."""
        return self.done("ca show")

    def browser(self) -> httpx.Client:
        """A client that trusts this authority alone."""
        self.trusted = self.trusted or self.authority
        context = ssl.create_default_context(cadata=self.trusted)
        return httpx.Client(base_url=f"https://{self.host.address}", verify=context, headers={"Host": DOMAIN}, timeout=20)

    def get(self, path: str, **choices: object) -> httpx.Response:
        """One request, as a visitor of DOMAIN."""
        with self.browser() as browser:
            return browser.get(path, extensions={"sni_hostname": DOMAIN}, **choices)  # type: ignore[arg-type]

    def answers(self) -> bool:
        """Whether visitors find a panel that can do its work."""
        try:
            return self.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def answers_again(self) -> float:
        """Wait until they do; returns how many seconds that took."""
        began = time.monotonic()
        wait_for(self.answers, "the panel to answer")
        return time.monotonic() - began

    def log_in(self, password: str) -> httpx.Response:
        """Log in with a browser; gives the answer to the form."""
        with self.browser() as browser:
            extensions = {"sni_hostname": DOMAIN}
            form = browser.get("/login", extensions=extensions)
            found = re.search(r'name="csrf" value="([^"]+)"', form.text)
            assert found
            fields = {"name": "admin", "password": password, "csrf": found[1], "next": "/"}
            return browser.post("/login", data=fields, extensions=extensions)

    def version(self) -> str:
        """Of the release that the link names."""
        return self.host.run("basename $(readlink /opt/appliance/current)").stdout.partition("-")[0]

    def state_of(self, operation_id: int) -> str:
        """The status of an operation."""
        return str(json.loads(self.done(f"operation show {operation_id} --json"))["status"])

    def ended(self, operation_id: int, *, seconds: float = 300) -> str:
        """Wait for the end of an operation, also while the machine boots; gives its status."""
        wait_for(self.answers, "the panel to answer")
        wait_for(lambda: self.state_of(operation_id) not in UNFINISHED, f"operation {operation_id} to end", seconds=seconds)
        return self.state_of(operation_id)

    def give_wheel(self, wheel: Path) -> str:
        """Copy a wheel there; returns where it is."""
        self.host.put(wheel, f"/root/{wheel.name}")
        return f"/root/{wheel.name}"


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A line of the source that differs in a wheel that a test builds."""

    file: str
    before: str
    after: str


BROKEN = Change(
    file="appliance/cli/processes.py",
    before='    """Run the panel in the foreground."""\n',
    after='    """Run the panel in the foreground."""\n    raise SystemExit("broken on purpose")\n',
)
"""It loads and migrates, and does not start."""
UNLOADABLE = Change(
    file="appliance/web/panel.py", before='"""What every page', after='raise ImportError("broken on purpose")\n"""What every page'
)


def build_wheel(directory: Path, version: str, *changes: Change) -> Path:
    """A wheel of this tree with another version, and with changes."""
    tree, out = directory / f"tree-{version}", directory / "wheels"
    names = ("appliance", "backup", "monitoring", "playbooks", "requirements", "pyproject.toml", "README.md", "hatch_build.py")
    tree.mkdir(parents=True)
    subprocess.run(["cp", "-r", *(str(places.TREE / name) for name in names), str(tree)], check=True)
    of_version = Change(file="appliance/__init__.py", before='__version__ = "', after=f'__version__ = "{version}"  # "')
    for change in (of_version, *changes):
        text = (tree / change.file).read_text()
        assert text.count(change.before) == 1
        (tree / change.file).write_text(text.replace(change.before, change.after))
    argv = ["uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(out), str(tree)]
    built = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = out.glob(f"*-{version}-*.whl")
    return wheel


def shell(*words: str) -> str:
    """A command line for the shell there."""
    return shlex.join(words)
