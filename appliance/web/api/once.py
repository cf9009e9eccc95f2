"""Requests of operations with the header `Idempotency-Key`: sent twice, they are carried out once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from appliance.domain.operation import Operation
from appliance.domain.request_key import LONGEST, RequestKey, read_request_key
from appliance.web.api.bodies import OperationBody
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Bearer

REPLAYED = "Idempotency-Replayed"
Given = Annotated[
    str | None,
    Header(
        max_length=LONGEST + 2,
        description="Any text of your own, such as a UUID: sent again with the same body within a day, the answer is the same",
    ),
]


@dataclass(kw_only=True)
class Once:
    """A request of an operation, with its key if it has one."""

    panel: Panel
    response: Response
    key: RequestKey | None

    def answer(self, requesting: Callable[[RequestKey | None], Operation]) -> OperationBody:
        """The new operation, or what the same request was answered. Raises what `requesting` raises, InvalidRequest, Conflict."""
        operation = requesting(None) if self.key is None else self._once(self.key, requesting)
        self.response.headers["Location"] = f"/api/v1/operations/{operation.id}"
        return OperationBody.of(operation)

    def _once(self, key: RequestKey, requesting: Callable[[RequestKey | None], Operation]) -> Operation:
        with self.panel.in_flight.alone(key):
            kept = self.panel.appliance.store.request_keys.find(key, now=self.panel.clock())
            if kept is None:
                return requesting(key)
            self.response.headers[REPLAYED] = "true"
            return kept


async def once_of(request: Request, response: Response, panel: PanelDependency, principal: Bearer, idempotency_key: Given = None) -> Once:
    """What answers a request once. Raises InvalidRequest for a key that is none."""
    if idempotency_key is None:
        return Once(panel=panel, response=response, key=None)
    asked = b"\n".join((request.method.encode(), request.url.path.encode(), await request.body()))
    return Once(panel=panel, response=response, key=read_request_key(idempotency_key, caller=principal.name, asked=asked))


OnceDependency = Annotated[Once, Depends(once_of)]
