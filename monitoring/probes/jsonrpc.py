"""Calls one method over JSON-RPC and compares its result."""

from typing import Any, Literal

import httpx
from pydantic import Field

from monitoring.probes.base import Result, Scalar, difference, healthy, same_value, unhealthy
from monitoring.probes.web import WebProbe, describe, open_client

Version = Literal["1.0", "2.0"]


def envelope(version: Version) -> dict[str, Any]:
    """What a call has beside method and parameters. Version 1.0 knows no member that names the version, and some servers refuse it."""
    return {"id": 1} if version == "1.0" else {"jsonrpc": version, "id": 1}


class Probe(WebProbe):
    """A POST request. Without `equals` any result will do, but never an error."""

    kind: Literal["jsonrpc"]
    version: Version = "2.0"
    method: str
    params: list[Any] | dict[str, Any] = Field(default_factory=list, repr=False)
    equals: Scalar = None


async def check(probe: Probe) -> Result:
    """Healthy when the method answers with a result, and with the expected one."""
    call = envelope(probe.version) | {"method": probe.method, "params": probe.params}
    try:
        async with open_client(probe) as client:
            response = await client.post(probe.url, json=call)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unhealthy(describe(error))
    return judge(probe, response)


def judge(probe: Probe, response: httpx.Response) -> Result:
    """Looks for the error first: some servers send it with status 200."""
    if response.status_code != httpx.codes.OK:
        return unhealthy(f"answered {response.status_code} instead of 200")
    try:
        answer = response.json()
    except ValueError:
        return unhealthy("the answer is not JSON")
    if not isinstance(answer, dict) or answer.get("error") is not None or "result" not in answer:
        return unhealthy(f"{probe.method} answered with an error")
    if probe.equals is not None and not same_value(answer["result"], probe.equals):
        return unhealthy(difference(answer["result"], probe.equals))
    return healthy(f"{probe.method} answered")
