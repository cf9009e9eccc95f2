"""nginx in front of the panel: TLS, one name, and the socket that it alone may come to."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jinja2

from appliance.certificates import Pair
from appliance.config import Settings, playbooks_directory
from appliance.domain.names import as_address
from appliance.errors import StepFailed
from appliance.production.places import Places
from appliance.production.releases import switch_link, sync_directory
from appliance.setup.files import write_if_changed

HSTS_SECONDS = 63_072_000
"""2 years, as Mozilla advises."""
HTTP2_DIRECTIVE_SINCE = (1, 25, 1)
DEFAULT_SITE = "/etc/nginx/sites-enabled/default"
DEBIANS_SITE = "/etc/nginx/sites-available/default"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The panel's site. With `hsts` browsers come by HTTPS only, for two years: where the certificate is one that all trust anyway."""

    domain: str
    hsts: bool
    certificate: Path
    key: Path
    socket: Path
    http2_directive: bool


def site_text(site: Site) -> str:
    """Write nginx's file; protocols and ciphers are those of the CRMs' sites."""
    address = as_address(site.domain)
    return _template().render(
        site=site,
        name=f"[{site.domain}]" if address is not None and ":" in site.domain else site.domain,
        has_other_names=address is None,
        hsts_seconds=HSTS_SECONDS,
    )


def _template() -> jinja2.Template:
    places = (Path(__file__).with_name("templates"), playbooks_directory() / "roles" / "site" / "templates")
    environment = jinja2.Environment(  # noqa: S701 - nginx's file is no page
        loader=jinja2.FileSystemLoader(places),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("panel.conf.j2")


def lay_down(places: Places, pair: Pair) -> Path:
    """Put certificate and key into a directory of their own, for root alone; returns it. What is there is kept."""
    directory = places.certificates / pair.id
    if (directory / "key.pem").is_file():
        return directory
    places.certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    write_if_changed(directory / "certificate.pem", pair.certificate, mode=0o600)
    write_if_changed(directory / "key.pem", pair.key, mode=0o600)
    sync_directory(directory)
    return directory


def apply(settings: Settings, places: Places, directory: Path, *, hsts: bool) -> bool:
    """Let nginx serve the panel with that certificate; whether anything changed. Raises StepFailed, with everything as it was."""
    site = Site(
        domain=settings.panel_domain,
        hsts=hsts,
        certificate=places.certificates / "current" / "certificate.pem",
        key=places.certificates / "current" / "key.pem",
        socket=places.socket,
        http2_directive=_version() >= HTTP2_DIRECTIVE_SINCE,
    )
    link = places.certificates / "current"
    before = places.site.read_text() if places.site.is_file() else None
    linked = link.readlink() if link.is_symlink() else None
    is_renewed = linked != directory
    if is_renewed:
        switch_link(link, directory)
    is_alone = remove_debians_site(places)
    is_changed = any([write_if_changed(places.site, site_text(site), mode=0o644), is_alone, is_renewed])
    if is_changed and (problem := _test()):
        _put_back(places, before, linked)
        if is_alone:
            put_debians_site_back(places)
        raise StepFailed(f"nginx does not accept its configuration with the panel in it; it was put back. It says: {problem}")
    _run()
    if is_changed:
        _reload()
    return is_changed


def forget_other_certificates(places: Places) -> None:
    """Remove those that are not shown any more."""
    link = places.certificates / "current"
    shown = link.resolve()
    for directory in places.certificates.iterdir():
        if directory not in (link, shown):
            for file in directory.iterdir():
                file.unlink()
            directory.rmdir()


def _put_back(places: Places, before: str | None, linked: Path | None) -> None:
    if before is None:
        places.site.unlink()
    else:
        write_if_changed(places.site, before, mode=0o644)
    if linked is not None:
        switch_link(places.certificates / "current", linked)


def remove_debians_site(places: Places) -> bool:
    """Whether it was there: it answers for every name on port 80. One that somebody has made his own stays."""
    link = places.root / DEFAULT_SITE.lstrip("/")
    if not link.is_symlink() or os.fspath(link.readlink()) != DEBIANS_SITE:
        return False
    link.unlink()
    return True


def put_debians_site_back(places: Places) -> None:
    """What was removed is as it was."""
    (places.root / DEFAULT_SITE.lstrip("/")).symlink_to(DEBIANS_SITE)


def _version() -> tuple[int, ...]:
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _test() -> str:
    done = subprocess.run(["nginx", "-t", "-q"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def _run() -> None:
    done = subprocess.run(["systemctl", "enable", "--now", "--quiet", "nginx.service"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"nginx does not start: {done.stderr.strip()}. See: journalctl -u nginx")


def _reload() -> None:
    done = subprocess.run(["systemctl", "reload", "nginx.service"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"nginx did not load its configuration: {done.stderr.strip()}. See: journalctl -u nginx")
