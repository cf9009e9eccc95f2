"""The OpenAPI document; those who may use the API or the panel may read it."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from appliance.errors import Unauthenticated
from appliance.web.errors import PROBLEM_DOCUMENT
from appliance.web.panel import PanelDependency
from appliance.web.sessions import bearer_of, principal_of, session_guest

EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text(encoding="utf-8"))
"""Of what the API takes and gives, by the names of their schemas; a test holds each against its schema."""

router = APIRouter(include_in_schema=False)


@router.get("/api/v1/openapi.json")
def describe(request: Request, panel: PanelDependency) -> dict[str, Any]:
    """Give the document."""
    try:
        bearer_of(request, panel)
    except Unauthenticated:
        principal_of(session_guest(request, panel), panel)
    return described(request.app)


def described(app: FastAPI) -> dict[str, Any]:
    """The document, with examples. Refusals are problem documents in it, not of the kind of a call's other answers, as FastAPI has it."""
    document: dict[str, Any] = app.openapi()
    for call in (call for calls in document["paths"].values() for call in calls.values()):
        for refused in (answer.get("content", {}) for code, answer in call["responses"].items() if code >= "400"):
            for other in set(refused) - {PROBLEM_DOCUMENT}:
                refused[PROBLEM_DOCUMENT] = refused.pop(other)
    for name, schema in document["components"]["schemas"].items():
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
    return document
