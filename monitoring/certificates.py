"""Until when the certificates that CRMs show are valid: read where visitors read them, not where somebody thinks they are."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress

from pydantic import BaseModel, ConfigDict, Field

LOOK_EVERY_SECONDS = 300
TIMEOUT_SECONDS = 10


class Place(BaseModel):
    """Where a certificate is shown, and to whom: to those who ask for `server_name`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str
    port: int = Field(ge=1, le=65535)
    server_name: str


async def read_end(place: Place) -> float | None:
    """Unix time of the end of the certificate that is shown, None when none is. Whether it is trusted is what the probes find out."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(place.address, place.port, ssl=context, server_hostname=place.server_name)
    except (OSError, TimeoutError):
        return None
    # Only the monitor comes here: a managed host, which runs single probes, has no such package.
    from cryptography import x509  # noqa: PLC0415

    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
    except ValueError:
        return None
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


async def watch_certificates(places: Callable[[], Iterable[tuple[str, Place]]], ends: MutableMapping[str, float]) -> None:
    """Keep `ends` by CRM until cancelled. One that shows no certificate now keeps what was seen of it: that is still when it ends."""
    looked: dict[str, tuple[Place, float]] = {}
    loop = asyncio.get_running_loop()
    while True:
        current = dict(places())
        for gone in ends.keys() - current.keys():
            del ends[gone]
        due = [
            (crm, place)
            for crm, place in current.items()
            if crm not in looked or looked[crm][0] != place or loop.time() - looked[crm][1] >= LOOK_EVERY_SECONDS
        ]
        for crm, place in due:
            end = await read_end(place)
            looked[crm] = (place, loop.time())
            if end is not None:
                ends[crm] = end
        await asyncio.sleep(1)
