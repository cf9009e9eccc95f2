"""Logs in through the login page as a person would, and looks at a page behind it."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr

from monitoring.probes.base import Pattern, Result, healthy, unhealthy
from monitoring.probes.login_form import find_login_form
from monitoring.probes.web import WebProbe, describe, open_client


class Probe(WebProbe):
    """A login as `username`, whose password is the content of `password_file`. `csrf_field` is a hidden field that must be there."""

    kind: Literal["form_login"]
    username: str
    username_field: str = "username"
    password_file: Path
    password_field: str = "password"  # noqa: S105 - the name of a form's field
    csrf_field: str | None = None
    final_path: str = "/"
    then: str | None = Field(default=None, repr=False)
    then_match: Pattern | None = None


class _LoginError(Exception):
    """Carries the detail for people."""


async def check(probe: Probe) -> Result:
    """Healthy when the login ends on `final_path` and the page `then` answers 200 with the expected text."""
    try:
        password = SecretStr(probe.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        async with open_client(probe) as client:
            await _log_in(client, probe, password)
            await _look_behind(client, probe)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unhealthy(describe(error))
    except (OSError, UnicodeDecodeError):
        return unhealthy("the monitor's password file cannot be read; nothing was sent")
    except _LoginError as failure:
        return unhealthy(str(failure))
    return healthy("logged in")


async def _log_in(client: httpx.AsyncClient, probe: Probe, password: SecretStr) -> None:
    page = await client.get(probe.url, follow_redirects=True)
    if page.status_code != httpx.codes.OK:
        raise _LoginError(f"the login page answered {page.status_code}")
    action, fields = _read_form(page, probe)
    fields |= {probe.username_field: probe.username, probe.password_field: password.get_secret_value()}
    answer = await client.post(action, data=fields, headers={"Referer": str(page.url)})
    # Followed by hand and as GET, since a 307 would make the client send the password once more, wherever it points.
    if answer.next_request is not None:
        answer = await client.get(answer.next_request.url, follow_redirects=True)
    if answer.status_code != httpx.codes.OK:
        raise _LoginError(f"the login answered {answer.status_code}")
    if answer.url.path != urlsplit(probe.final_path).path:
        raise _LoginError("the login was refused")


def _read_form(page: httpx.Response, probe: Probe) -> tuple[httpx.URL, dict[str, str]]:
    form = find_login_form(page.text, probe.password_field)
    if form is None:
        raise _LoginError("the login page has no login form")
    if probe.csrf_field and probe.csrf_field not in form.hidden:
        raise _LoginError("the login form lacks its hidden token")
    action = page.url.join(form.action) if form.action else page.url
    wanted = httpx.URL(probe.url)
    if {(page.url.scheme, page.url.host), (action.scheme, action.host)} != {(wanted.scheme, wanted.host)}:
        raise _LoginError("the login form leads to another host; no password was sent")
    return action, dict(form.hidden)


async def _look_behind(client: httpx.AsyncClient, probe: Probe) -> None:
    if probe.then is None:
        return
    page = await client.get(probe.then)
    if page.status_code != httpx.codes.OK:
        raise _LoginError(f"logged in, but the page behind the login answered {page.status_code}")
    if probe.then_match and not re.search(probe.then_match, page.text):
        raise _LoginError("logged in, but the page behind the login lacks the expected text")
