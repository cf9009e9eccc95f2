"""The web server that hands the metrics out."""

import json
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from socket import socket
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from monitoring.clock import Clock
from monitoring.exporter.admission import Admission
from monitoring.exporter.collector import ApplianceCollector
from monitoring.ledger import Ledger
from monitoring.monitor import Status

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STALE_AFTER_SECONDS = 30
"""A monitor whose heartbeat is older than this is not well, although it still answers."""


@dataclass(frozen=True, kw_only=True)
class MetricsDoor:
    """Where other machines ask for the metrics: encrypted, and only if they are admitted."""

    address: tuple[str, int]
    context: ssl.SSLContext
    admission: Admission


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own, none of which keeps the monitor from ending."""

    daemon_threads = True

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Who knocks without TLS, or goes away, is not worth a traceback each."""


class _QuietHandler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a line each."""


def open_server(address: tuple[str, int], collector: ApplianceCollector, health: "WSGIApplication") -> MetricsServer:
    """Listens on the address. Raises OSError where it is taken. `/metrics` for Prometheus, `/healthz` for supervision."""
    pages = {"/metrics": _make_metrics(collector), "/healthz": health}

    def route(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return pages.get(environ.get("PATH_INFO", ""), _not_found)(environ, start_response)

    return make_server(*address, route, server_class=MetricsServer, handler_class=_QuietHandler)


def open_metrics_door(door: MetricsDoor, collector: ApplianceCollector) -> MetricsServer:
    """Listens for other machines, with TLS; whoever is not admitted learns nothing. Raises OSError where the address is taken."""
    metrics = _make_metrics(collector)

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not door.admission.admits(environ.get("HTTP_AUTHORIZATION", "")):
            start_response("401 Unauthorized", [*door.admission.challenges(), ("Content-Length", "0")])
            return []
        return metrics(environ, start_response) if environ.get("PATH_INFO") == "/metrics" else _not_found(environ, start_response)

    server = make_server(*door.address, guarded, server_class=MetricsServer, handler_class=_QuietHandler)
    # The handshake is made by the thread of each request, so that one who is slow keeps nobody waiting.
    server.socket = door.context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def _make_metrics(collector: ApplianceCollector) -> "WSGIApplication":
    """Text as fast as it goes; who asks for single metrics (`?name[]=`) gets them by Prometheus's own library."""
    registry = CollectorRegistry()
    registry.register(collector)
    selective = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("QUERY_STRING") or environ.get("REQUEST_METHOD") != "GET":
            chosen: Iterable[bytes] = selective(environ, start_response)
            return chosen
        body = collector.write()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_PLAIN_0_0_4), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def make_health(ledger: Ledger, status: Status, clock: Clock) -> "WSGIApplication":
    """200 while the monitor writes its heartbeat, 503 when it no longer does."""

    def answer(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        last = ledger.heartbeat()
        now = clock()
        age = now.boot_seconds - last.at.boot_seconds if last and last.at.boot_id == now.boot_id else None
        well = age is not None and age < STALE_AFTER_SECONDS
        facts = {"status": "ok" if well else "stale", "heartbeat_age_seconds": age, "crms": len(status.targets)}
        return _send(start_response, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, facts | {"problem": status.targets_problem})

    return answer


def _not_found(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    return _send(start_response, HTTPStatus.NOT_FOUND, {"status": "There are /metrics and /healthz."})


def _send(start_response: "StartResponse", status: HTTPStatus, facts: Mapping[str, object]) -> Iterable[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
    return [json.dumps(facts).encode() + b"\n"]
