"""Every address that the panel answers at."""

from collections.abc import Iterable, Iterator

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match


def every_route(app: FastAPI) -> Iterator[tuple[APIRoute, set[str]]]:
    """Each with its methods; also those of the routers that were included."""
    yield from _routes_among(app.routes)


def _routes_among(routes: Iterable[BaseRoute]) -> Iterator[tuple[APIRoute, set[str]]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route, route.methods or set()
        yield from _routes_among(getattr(getattr(route, "original_router", None), "routes", []))


def methods_at(request: Request) -> list[str]:
    """What can be done at the address of a request: the framework itself names the methods of the first function there only."""
    here = [(route.path, methods) for route, methods in every_route(request.app) if route.matches(request.scope)[0] is not Match.NONE]
    return sorted(set().union(*(methods for path, methods in here if path == here[0][0])))
