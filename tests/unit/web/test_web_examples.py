"""The examples in the API's description are what it describes."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from appliance.web.api.description import EXAMPLES
from tests.support.web_world import PanelWorld

ANSWERED = {"OperationBody", "OperationsBody", "InstanceBody", "RecoveryPointBody", "AuditBody", "LogBody", "DrillBody", "OutageBody"}
ANSWERED |= {"ScheduleBody", "SchedulesBody", "RepositoryBody", "HostBody", "NoticeBody", "ChannelBody", "WebhookBody", "AddedWebhookBody"}
ANSWERED |= {"DeliveryBody", "SessionBody", "TokenBody", "ProblemBody"}
"""The answers that programs mostly read."""


@pytest.fixture
def document(world: PanelWorld) -> dict[str, Any]:
    found: dict[str, Any] = world.program_of("Victor").get("/api/v1/openapi.json").json()
    return found


def taken(document: dict[str, Any]) -> Iterator[str]:
    """The names of what requests hold."""
    for call in (call for calls in document["paths"].values() for call in calls.values()):
        if "requestBody" in call:
            schema = call["requestBody"]["content"]["application/json"]["schema"]
            yield from (one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", [schema]) if "$ref" in one)


def test_whatever_is_sent_and_what_is_mostly_answered_has_an_example(document: dict[str, Any]) -> None:
    described = {name for name, schema in document["components"]["schemas"].items() if schema.get("examples")}
    assert described >= {*taken(document), *ANSWERED}
    assert described == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fits_its_schema(document: dict[str, Any], name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    problems = [str(problem) for problem in jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(EXAMPLES[name])]
    assert problems == []


def test_the_description_is_no_other_the_second_time(world: PanelWorld, document: dict[str, Any]) -> None:
    assert world.program_of("Victor").get("/api/v1/openapi.json").json() == document


def test_the_example_of_a_request_is_understood(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    for path, name in (
        ("operations", "RequestBody"),
        ("schedules", "NewScheduleBody"),
        ("webhooks", "NewWebhookBody"),
        ("notices", "NewNoticeBody"),
    ):
        answer = program.post(f"/api/v1/{path}", json=EXAMPLES[name])
        assert answer.status_code in {201, 202}, answer.text
