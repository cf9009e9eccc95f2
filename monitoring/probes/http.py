"""Asks for one page and looks at its status and, if wanted, its text."""

import re
from typing import Literal

import httpx

from monitoring.probes.base import Pattern, Result, healthy, unhealthy
from monitoring.probes.web import WebProbe, describe, open_client


class Probe(WebProbe):
    """A GET request. Redirects are not followed: a redirect is an answer of its own."""

    kind: Literal["http"]
    status: int = 200
    match: Pattern | None = None


async def check(probe: Probe) -> Result:
    """Healthy when the status is the wanted one and the pattern occurs in the answer."""
    try:
        async with open_client(probe) as client:
            response = await client.get(probe.url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unhealthy(describe(error))
    if response.status_code != probe.status:
        return unhealthy(f"answered {response.status_code} instead of {probe.status}")
    if probe.match and not re.search(probe.match, response.text):
        return unhealthy(f"answered {response.status_code}, but not with the expected text")
    return healthy(f"answered {response.status_code}")
