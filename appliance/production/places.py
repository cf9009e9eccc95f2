"""Where things of a production machine are, beside what the settings say. `root` is another one in tests."""

from dataclasses import dataclass
from pathlib import Path

USER = "appliance"
"""The system user, and its group, that panel, worker and monitor run as."""
WEB_GROUP = "www-data"
"""The group that nginx's workers run as; it alone may come to the panel's socket."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """All of it belongs to root; the appliance's user cannot write there."""

    root: Path = Path("/")

    @property
    def opt(self) -> Path:
        """The programs."""
        return self.root / "opt/appliance"

    @property
    def releases(self) -> Path:
        """One virtual environment for each release that is kept."""
        return self.opt / "releases"

    @property
    def current(self) -> Path:
        """The link to the release that runs."""
        return self.opt / "current"

    @property
    def upgrader(self) -> Path:
        """The link to the release that carries out an upgrade: the one from before."""
        return self.opt / "upgrader"

    @property
    def intent(self) -> Path:
        """What an upgrade is about to do, for whoever finds it unfinished."""
        return self.opt / "upgrade.json"

    @property
    def outcome(self) -> Path:
        """How the last upgrade ended."""
        return self.opt / "upgrade-outcome.json"

    @property
    def backups(self) -> Path:
        """The state before each upgrade and restore."""
        return self.root / "var/backups/appliance"

    @property
    def units(self) -> Path:
        """Units of systemd."""
        return self.root / "etc/systemd/system"

    @property
    def tmpfiles(self) -> Path:
        """What is made anew at each boot."""
        return self.root / "etc/tmpfiles.d/appliance.conf"

    @property
    def socket(self) -> Path:
        """Where nginx comes to the panel."""
        return self.root / "run/appliance-panel.sock"

    @property
    def command(self) -> Path:
        """The command line, on everybody's PATH."""
        return self.root / "usr/local/bin/appliance"

    @property
    def site(self) -> Path:
        """nginx's file of the panel."""
        return self.root / "etc/nginx/conf.d/appliance-panel.conf"

    @property
    def web_configuration(self) -> Path:
        """nginx's own file, which includes that one."""
        return self.root / "etc/nginx/nginx.conf"

    @property
    def certificates(self) -> Path:
        """Certificates of the panel, each with its key in a directory of its own."""
        return self.root / "etc/appliance/tls"
