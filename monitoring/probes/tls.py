"""Begins an encrypted connection and closes it: whether the certificate that is shown there is one that visitors' browsers accept."""

import asyncio
import ssl
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from monitoring.probes.base import ProbeBase, Result, healthy, unhealthy
from monitoring.probes.web import describe_certificate, readable_certificates, trusted_certificates


class Probe(ProbeBase):
    """The certificate that an address shows to those who ask for `server_name`, verified with `trust` (PEM), or as the machine does."""

    kind: Literal["tls"]
    address: str = Field(repr=False)
    port: int = Field(ge=1, le=65535)
    server_name: str = Field(repr=False)
    trust: Annotated[str, AfterValidator(readable_certificates)] | None = Field(default=None, repr=False)


async def check(probe: Probe) -> Result:
    """Healthy when both sides have agreed and the certificate is the name's, trusted and valid now."""
    trusted = trusted_certificates(probe.trust)
    try:
        _, writer = await asyncio.open_connection(probe.address, probe.port, ssl=trusted, server_hostname=probe.server_name)
    except ssl.SSLCertVerificationError as error:
        return unhealthy(describe_certificate(str(error)))
    except ssl.SSLError:
        return unhealthy("no encrypted connection came about")
    except OSError:
        return unhealthy("no connection")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return healthy("the certificate is valid")
