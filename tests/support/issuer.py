"""A small issuer of ID tokens, which a test lets lie; the real provider of tests/support/identity_provider.py tells the truth alone."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "panel", "only-between-us"


@dataclass(kw_only=True)
class Issuer:
    """What it says of itself, of whoever comes, and with which key it signs."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    signing_key: RSAKey | OctKey | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    unsigned: bool = False

    def answer(self, path: str) -> Mapping[str, Any]:
        """The JSON document of an address."""
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys", "userinfo_endpoint": "/me"}
            return {"issuer": self.url, **{name: self.url + end for name, end in ends.items()}, **self.metadata}
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/me":
            return {"sub": self.claims.get("sub"), **self.userinfo}
        token = jwt.encode(self.header, self.claims, self.signing_key or self.key, algorithms=["RS256", "HS256"])
        if self.unsigned:
            parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, self.claims)]
            token = ".".join([*parts, ""])
        return {"access_token": "at", "token_type": "Bearer", "id_token": token}


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """One that answers on a port of this machine."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def _tell(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            issuer.asked.append(
                {"path": self.path, "body": self.rfile.read(length).decode(), "login": self.headers.get("authorization", "")}
            )
            body = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _tell  # noqa: N815 - the names that the base class calls

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
