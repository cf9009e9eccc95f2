import pytest

from appliance.domain.operation import OperationStatus
from tests.support.web_world import Browser, PanelWorld, end_operation, run_operation


def test_a_request_is_recorded_and_told_where_to_follow_it(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    answer = program.post("/api/v1/operations", json={"kind": "upgrade", "instance": "sales", "parameters": {"to": "2.8.6"}})
    assert (answer.status_code, answer.headers["location"]) == (202, "/api/v1/operations/1")
    told = program.get("/api/v1/operations/1").json()
    assert (told["kind"], told["status"], told["requested_by"]) == ("upgrade", "queued", "Oscar")


@pytest.mark.parametrize("rehearsal", [False, "no", 0, None])
def test_an_operators_program_cannot_leave_the_rehearsal_out(world: PanelWorld, rehearsal: object) -> None:
    body = {"kind": "upgrade", "instance": "sales", "parameters": {"to": "2.8.6", "rehearsal": rehearsal}}
    assert world.program_of("Oscar").post("/api/v1/operations", json=body).status_code == 403


@pytest.mark.parametrize(("unknown", "status"), [(False, 202), (True, 403)])
def test_an_operators_program_tidies_but_leaves_what_visitors_may_have_used(world: PanelWorld, *, unknown: bool, status: int) -> None:
    body = {"kind": "tidy", "instance": "sales", "parameters": {"unknown": unknown}}
    assert world.program_of("Oscar").post("/api/v1/operations", json=body).status_code == status


@pytest.mark.parametrize(("accepted", "status"), [(False, 202), (True, 403)])
def test_an_operators_program_checks_but_cannot_accept_that_points_are_gone(world: PanelWorld, *, accepted: bool, status: int) -> None:
    body = {"kind": "check", "instance": "sales", "parameters": {"accept_loss": accepted}}
    assert world.program_of("Oscar").post("/api/v1/operations", json=body).status_code == status


@pytest.mark.parametrize(
    ("work", "parameters", "status"),
    [("check", {}, 201), ("check", {"accept_loss": True}, 403), ("archive", {"wanted": False}, 403)],
)
def test_an_operators_program_schedules_nothing_that_it_may_not_request(
    world: PanelWorld, work: str, parameters: dict[str, object], status: int
) -> None:
    window = {"days": "SUN", "begin": "05:00", "minutes": 60}
    body = {"name": "night", "subject": "sales", "work": work, "window": window, "parameters": parameters}
    answer = world.program_of("Oscar").post("/api/v1/schedules", json=body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "backup", "instance": "gone"}, 404),
        ({"kind": "paint", "instance": "sales"}, 422),
        ({"kind": "backup"}, 422),
        ({"kind": "backup", "instance": "sales", "colour": "red"}, 422),
        ({"kind": "upgrade", "instance": "sales", "parameters": {"to": "9.9"}}, 404),
        ({"kind": "upgrade", "instance": "sales", "parameters": {"to": "2.7.1"}}, 409),
        ({"kind": "install", "instance": "../etc", "parameters": {"product": "creme"}}, 422),
        ([], 422),
    ],
)
def test_a_bad_request_is_a_problem_document(world: PanelWorld, body: object, status: int) -> None:
    answer = world.program_of("Alice").post("/api/v1/operations", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["status"], answer.headers["content-type"]) == (status, status, "application/problem+json")
    assert problem["detail"]
    assert world.operations() == []


def test_operations_are_given_a_page_at_a_time(world: PanelWorld) -> None:
    for _ in range(3):
        end_operation(world.appliance, run_operation(world.appliance).id, OperationStatus.SUCCEEDED)
    program = world.program_of("Victor")
    first = program.get("/api/v1/operations?limit=2&status=succeeded&instance=sales").json()
    second = program.get(f"/api/v1/operations?limit=2&cursor={first['next']}").json()
    assert [[one["id"] for one in page["operations"]] for page in (first, second)] == [[3, 2], [1]]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=odd", "cursor=99999999999999999999", "since=yesterday", "colour=red"])
def test_a_bad_query_is_told_by_its_field(world: PanelWorld, query: str) -> None:
    answer = world.program_of("Victor").get(f"/api/v1/operations?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["detail"]


def test_a_log_is_given_from_a_line_on(world: PanelWorld) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.logs.add(operation.id, "one\ntwo", step="build", now=world.moment)
    told = world.program_of("Victor").get("/api/v1/operations/1/log?after=2").json()
    assert ([line["text"] for line in told["lines"]], told["last"]) == (["two"], 3)


def test_an_operation_is_cancelled_and_tried_again(world: PanelWorld) -> None:
    run_operation(world.appliance, kind="backup")
    program = world.program_of("Oscar")
    assert program.post("/api/v1/operations/1/cancel").json()["cancel_requested"]
    end_operation(world.appliance, 1, OperationStatus.CANCELLED)
    assert program.post("/api/v1/operations/1/retry").json()["id"] == 2


def test_recovery_points_say_whether_they_were_proven(world: PanelWorld) -> None:
    told = world.program_of("Victor").get("/api/v1/instances/sales/recovery-points").json()
    assert [(point["id"], point["proven_at"] is not None) for point in told] == [("sales-2", False), ("sales-1", True)]


def test_a_token_that_was_replaced_opens_nothing(world: PanelWorld) -> None:
    old = world.program_of("Alice")
    world.program_of("Alice")
    assert old.get("/api/v1/instances").status_code == 401


def test_a_token_is_listed_without_what_it_opens_with_and_revoked(world: PanelWorld) -> None:
    alice, oscar = world.program_of("Alice"), world.program_of("Oscar")
    oscar.get("/api/v1/instances")
    told = alice.get("/api/v1/tokens").json()
    assert [(token["name"], token["user"], token["last_used_at"] is not None) for token in told] == [
        ("token of Alice", "Alice", True),
        ("token of Oscar", "Oscar", True),
    ]
    assert "appl_" not in str(told)
    assert alice.delete("/api/v1/tokens/token of Oscar").status_code == 204
    assert oscar.get("/api/v1/instances").status_code == 401
    assert alice.delete("/api/v1/tokens/token of Oscar").status_code == 404
    with world.appliance.store.database.engine.connect() as connection:
        audited = connection.exec_driver_sql("SELECT actor, action, subject FROM audit").all()
    assert audited[-1] == ("Alice", "revoke token", "token of Oscar")


def test_the_description_names_every_call(world: PanelWorld, victor: Browser) -> None:
    told = victor.get("/api/v1/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    assert set(told["paths"]["/api/v1/operations"]) == {"get", "post"}
    assert all(path.startswith("/api/v1/") for path in told["paths"])
    assert world.program_of("Victor").get("/api/v1/openapi.json").json() == told
