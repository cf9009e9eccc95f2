"""How the probes that speak HTTP reach a server: certificates are checked, proxies of the environment are not used."""

import ssl
from functools import cache

import httpx

USER_AGENT = "crm-appliance-monitor"


@cache
def trusted_certificates() -> ssl.SSLContext:
    """The machine's certificate authorities; read once, since it takes 20 ms."""
    return ssl.create_default_context()


def open_client(timeout_seconds: float, host_header: str | None = None) -> httpx.AsyncClient:
    """A client with a cookie jar of its own, to be closed by the caller. It follows no redirect unless told to."""
    headers = {"User-Agent": USER_AGENT}
    if host_header:
        headers["Host"] = host_header
    return httpx.AsyncClient(verify=trusted_certificates(), timeout=timeout_seconds, headers=headers, trust_env=False)


def describe(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """Why no answer came, without the address that was asked."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "the certificate is not trusted"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TooManyRedirects):
        return "redirected in a circle"
    return f"the exchange broke off ({type(error).__name__})"
