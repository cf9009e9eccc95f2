"""How the probes that speak HTTP reach a server: certificates are checked, proxies of the environment are not used."""

import ssl
from functools import cache
from typing import Annotated, ClassVar

import httpx
from pydantic import AfterValidator, Field

from monitoring.probes.base import ProbeBase

USER_AGENT = "crm-appliance-monitor"


@cache
def trusted_certificates(trust: str | None = None) -> ssl.SSLContext:
    """The machine's certificate authorities, or those given; read once, since the machine's take 20 ms."""
    if trust is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=trust)
    # What is given need not be a root: an administrator's chain may end below one.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def readable_certificates(trust: str) -> str:
    """Gives them back. Raises ValueError where they are none."""
    try:
        trusted_certificates(trust)
    except ssl.SSLError as error:
        raise ValueError("not certificates in PEM form") from error
    return trust


class WebProbe(ProbeBase):
    """What is asked for at `url`, as a browser would.

    `via` is the origin that requests to the site of `url` are really sent to, so that no name has to be known to DNS; the server
    is told, and its certificate is checked for, the name in `url`. A plain `via` of an encrypted site is the server behind the one
    that encrypts, and is told so (X-Forwarded-Proto). `trust` are certificates (PEM) that the server's is verified with, instead of
    those that the machine trusts.
    """

    is_light: ClassVar[bool] = True

    url: str = Field(repr=False)
    via: str | None = Field(default=None, repr=False, pattern=r"^https?://[^/]+$")
    trust: Annotated[str, AfterValidator(readable_certificates)] | None = Field(default=None, repr=False)


class Detour(httpx.AsyncBaseTransport):
    """Sends what is meant for one site to another place, and leaves the rest alone."""

    def __init__(self, site: httpx.URL, via: httpx.URL, trusted: ssl.SSLContext) -> None:
        self._site, self._via = site, via
        self._inner = httpx.AsyncHTTPTransport(verify=trusted)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Client, cookies and redirects know the site only."""
        if _origin(request.url) == _origin(self._site):
            headers = request.headers.copy()
            if (self._site.scheme, self._via.scheme) == ("https", "http"):
                headers["X-Forwarded-Proto"] = "https"
            request = httpx.Request(
                request.method,
                request.url.copy_with(scheme=self._via.scheme, netloc=self._via.netloc),
                headers=headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": self._site.host},
            )
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """End its connections."""
        await self._inner.aclose()


def open_client(probe: WebProbe) -> httpx.AsyncClient:
    """A client with a cookie jar of its own, to be closed by the caller. It follows no redirect unless told to. Raises httpx.InvalidURL."""
    trusted = trusted_certificates(probe.trust)
    transport = Detour(httpx.URL(probe.url), httpx.URL(probe.via), trusted) if probe.via else None
    headers = {"User-Agent": USER_AGENT}
    return httpx.AsyncClient(transport=transport, verify=trusted, timeout=probe.timeout_seconds, headers=headers, trust_env=False)


def describe(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """Why no answer came, without the address that was asked."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return describe_certificate(str(error))
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TooManyRedirects):
        return "redirected in a circle"
    return f"the exchange broke off ({type(error).__name__})"


def describe_certificate(said: str) -> str:
    """Why a certificate was refused, from what OpenSSL says."""
    if "has expired" in said:
        return "the certificate has expired"
    if "mismatch" in said or "not valid for" in said:
        return "the certificate is for another name"
    return "the certificate is not trusted"


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
