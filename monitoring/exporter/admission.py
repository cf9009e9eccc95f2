"""Who is let in at the door for other machines: by a token, or by a name and a password where there is one."""

import hmac
from base64 import b64decode
from dataclasses import dataclass

BEARER, BASIC = "Bearer", 'Basic realm="metrics", charset="UTF-8"'


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What has to be known; `login` is NAME:PASSWORD."""

    token: str
    login: str | None = None

    def admits(self, header: str) -> bool:
        """Whether an `Authorization` header says the token (RFC 6750) or the login (RFC 7617)."""
        scheme, _, said = header.partition(" ")
        if scheme.lower() == "bearer":
            return hmac.compare_digest(said.encode(), self.token.encode())
        if scheme.lower() == "basic" and self.login is not None:
            return hmac.compare_digest(_decoded(said), self.login.encode())
        return False

    def challenges(self) -> list[tuple[str, str]]:
        """The headers that tell whoever is not let in how to ask."""
        return [("WWW-Authenticate", how) for how in ([BEARER] if self.login is None else [BEARER, BASIC])]


def _decoded(said: str) -> bytes:
    try:
        return b64decode(said, validate=True)
    except ValueError:
        return b""
