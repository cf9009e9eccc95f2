"""Opens a connection, says nothing and closes it: whether anybody listens there at all."""

import asyncio
from contextlib import suppress
from typing import Literal

from pydantic import Field

from monitoring.probes.base import ProbeBase, Result, healthy, unhealthy


class Probe(ProbeBase):
    """A port of an address, which may be a name."""

    kind: Literal["tcp"]
    address: str = Field(repr=False)
    port: int = Field(ge=1, le=65535)


async def check(probe: Probe) -> Result:
    """Healthy when the connection is accepted."""
    try:
        _, writer = await asyncio.open_connection(probe.address, probe.port)
    except ConnectionRefusedError:
        return unhealthy(f"nobody listens on port {probe.port}")
    except OSError as error:
        return unhealthy(f"port {probe.port} is not reached ({error.strerror or type(error).__name__})")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return healthy(f"port {probe.port} is open")
