"""The live log: what a reader gets, and where it goes on."""

import json

from appliance.domain.operation import OperationStatus
from appliance.domain.transfer import Transfer
from appliance.web.tails import BATCH_LINES
from tests.support.web_world import NOON, Browser, PanelWorld, end_operation, run_operation


def events_of(text: str) -> list[dict[str, str]]:
    events = []
    for block in text.strip().split("\n\n"):
        pairs = [line.partition(": ") for line in block.splitlines()]
        event: dict[str, str] = {}
        for name, _, value in pairs:
            event[name] = f"{event[name]}\n{value}" if name in event else value
        events.append(event)
    return events


def ended_with_lines(world: PanelWorld, count: int) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.logs.add(operation.id, "\n".join(f"line {number}" for number in range(2, count + 1)), step="build", now=NOON)
    end_operation(world.appliance, operation.id, OperationStatus.SUCCEEDED)


def test_a_page_gets_the_lines_then_the_state_then_the_end(world: PanelWorld, victor: Browser) -> None:
    ended_with_lines(world, 3)
    answer = victor.get("/operations/1/stream")
    lines, state, end = events_of(answer.text)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (lines["id"], "line 2" in lines["data"], "line 3" in lines["data"]) == ("3", True, True)
    assert 'hx-target="#state"' in state["data"]
    assert end == {"event": "end", "data": "succeeded"}


def test_a_page_goes_on_after_the_last_line_it_has(world: PanelWorld, victor: Browser) -> None:
    ended_with_lines(world, 3)
    lines = events_of(victor.get("/operations/1/stream?after=2").text)[0]
    assert ("line 2" in lines["data"], "line 3" in lines["data"]) == (False, True)


def test_a_broken_connection_counts_more_than_the_address(world: PanelWorld, victor: Browser) -> None:
    ended_with_lines(world, 3)
    events = events_of(victor.get("/operations/1/stream?after=0", **{"Last-Event-ID": "3"}).text)
    assert all("id" not in event for event in events)


def test_a_long_log_comes_whole(world: PanelWorld) -> None:
    ended_with_lines(world, BATCH_LINES * 2 + 7)
    answer = world.program_of("Victor").get("/api/v1/operations/1/log/stream")
    lines = [json.loads(event["data"]) for event in events_of(answer.text) if event.get("event") == "line"]
    assert [line["id"] for line in lines] == list(range(1, BATCH_LINES * 2 + 8))


def test_a_program_gets_the_operation_as_the_api_gives_it(world: PanelWorld) -> None:
    ended_with_lines(world, 1)
    program = world.program_of("Victor")
    states = [event for event in events_of(program.get("/api/v1/operations/1/log/stream").text) if event.get("event") == "operation"]
    assert json.loads(states[-1]["data"]) == program.get("/api/v1/operations/1").json()


def test_hostile_lines_stay_text_in_the_stream(world: PanelWorld, victor: Browser) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.logs.add(operation.id, "<hx-partial hx-target='body'>\revent: end", step="build", now=NOON)
    end_operation(world.appliance, operation.id, OperationStatus.SUCCEEDED)
    events = events_of(victor.get("/operations/1/stream").text)
    assert "&lt;hx-partial" in events[0]["data"]
    assert [event.get("event") for event in events] == ["lines", None, "end"]


def test_a_stream_of_nothing_is_not_opened(world: PanelWorld, victor: Browser) -> None:
    assert victor.get("/operations/7/stream").status_code == 404
    assert world.program_of("Victor").get("/api/v1/operations/7/log/stream").status_code == 404


def test_how_many_bytes_a_step_has_moved_is_told_to_people_and_programs(world: PanelWorld, victor: Browser) -> None:
    operation = run_operation(world.appliance)
    moved = Transfer(stage="database", bytes_done=2**20, bytes_total=2**30, bytes_per_second=2**20, seconds_left=1023)
    world.appliance.store.operations.progress(operation.id, "preflight", 1, moved)
    assert "database: 1.0 MiB of 1.0 GiB, 1.0 MiB/s, 17 min 3 s left" in victor.get("/operations/1").text
    told = world.program_of("Victor").get("/api/v1/operations/1").json()["transfer"]
    assert told == {"stage": "database", "bytes_done": 2**20, "bytes_total": 2**30, "bytes_per_second": 2**20, "seconds_left": 1023}
    end_operation(world.appliance, operation.id, OperationStatus.SUCCEEDED)
    assert "MiB/s" not in victor.get("/operations/1").text
