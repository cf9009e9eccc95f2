"""Logs in over JSON-RPC, calls one method as that account, and logs out."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from monitoring.probes.base import Result, healthy, unhealthy
from monitoring.probes.jsonrpc import Version, envelope
from monitoring.probes.web import WebProbe, describe, open_client


class Call(BaseModel):
    """A method and its parameters, in which `$username`, `$password` and the parts of the log-in's answer (`$0`, `$1` …) are filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    params: list[Any] = Field(default_factory=list, repr=False)


class Authorization(BaseModel):
    """The header of the calls after the log-in: a scheme, and credentials that are sent in base64."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: str
    credentials: str


class Probe(WebProbe):
    """A log-in as `username`, whose password is the content of `password_file`, and a call that only a log-in makes possible."""

    kind: Literal["jsonrpc_login"]
    version: Version = "2.0"
    username: str
    password_file: Path
    login: Call
    authorization: Authorization
    then: Call
    logout: Call | None = None


class _Refused(Exception):
    """Carries the detail for people."""


async def check(probe: Probe) -> Result:
    """Healthy when the log-in and the call behind it answer with results. Errors that come with status 200 are errors."""
    try:
        password = SecretStr(probe.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        async with open_client(probe) as client:
            await _work(client, probe, {"username": probe.username, "password": password.get_secret_value()})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unhealthy(describe(error))
    except (OSError, UnicodeDecodeError):
        return unhealthy("the monitor's password file cannot be read; nothing was sent")
    except _Refused as failure:
        return unhealthy(str(failure))
    return healthy(f"logged in; {probe.then.method} answered")


async def _work(client: httpx.AsyncClient, probe: Probe, words: Mapping[str, str]) -> None:
    answer = await _call(client, probe, probe.login, words)
    if not answer:
        raise _Refused("the login was refused")
    parts = answer if isinstance(answer, list) else [answer]
    words = {**words, **{str(number): str(part) for number, part in enumerate(parts)}}
    credentials = base64.b64encode(_filled(probe.authorization.credentials, words).encode()).decode()
    client.headers["Authorization"] = f"{probe.authorization.scheme} {credentials}"
    await _call(client, probe, probe.then, words)
    if probe.logout:
        await _call(client, probe, probe.logout, words)


async def _call(client: httpx.AsyncClient, probe: Probe, call: Call, words: Mapping[str, str]) -> Any:
    """The method's result. Raises _Refused; the server's own words may hold records, so they are not repeated."""
    asked = envelope(probe.version) | {"method": call.method, "params": _filled(call.params, words)}
    response = await client.post(probe.url, json=asked)
    if response.status_code != httpx.codes.OK:
        raise _Refused(f"{call.method} answered {response.status_code} instead of 200")
    try:
        answer = response.json()
    except ValueError:
        raise _Refused(f"the answer of {call.method} is not JSON") from None
    if not isinstance(answer, dict) or answer.get("error") is not None or "result" not in answer:
        raise _Refused(f"{call.method} answered with an error")
    return answer["result"]


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    """The value with its `$names` replaced, however deep they lie. A name that is none stays as it is."""
    if isinstance(value, str):
        return re.sub(r"\$(\w+)", lambda name: words.get(name[1], name[0]), value)
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    if isinstance(value, dict):
        return {name: _filled(inner, words) for name, inner in value.items()}
    return value
