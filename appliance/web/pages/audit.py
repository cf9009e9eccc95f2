"""The audit: who did what, for administrators."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from appliance.domain.audit import AuditProof, canonical
from appliance.errors import InvalidRequest
from appliance.store.audit import AuditFilter
from appliance.web import audit
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.pages.operations import LONGEST_ID, PAGE_ROWS
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import LoggedIn

router = APIRouter(prefix="/audit", include_in_schema=False)


class Filters(BaseModel):
    """What the list is narrowed to, as it was typed."""

    actor: str = ""
    subject: str = ""
    action: str = ""
    since: str = ""
    before: str = ""

    def wanted(self) -> AuditFilter:
        """As the store takes it. Raises InvalidRequest for a moment that is none."""
        typed = {name: getattr(self, name).strip() for name in ("actor", "subject", "action")}
        return AuditFilter(**typed, since=audit.read_since(self.since.strip()))

    def below(self) -> int | None:
        """The number to go on below; what is none narrows nothing."""
        is_number = self.before.isascii() and self.before.isdigit() and len(self.before) <= LONGEST_ID
        return int(self.before) if is_number else None


Asked = Annotated[Filters, Query()]


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn, filters: Asked) -> Response:
    """Show entries, newest first, a page at a time."""
    return _page(panel, principal, filters)


@router.get("/export")
def export(panel: PanelDependency, principal: LoggedIn, filters: Asked) -> Response:
    """Download what the filters show, as JSON lines."""
    return _or_problem(panel, principal, filters, lambda: audit.export(panel, principal, filters.wanted()))


@router.get("/verification")
def verify(panel: PanelDependency, principal: LoggedIn, head: str = "") -> Response:
    """Look at every entry, and say what that has shown."""

    def looked() -> Response:
        return _page(panel, principal, Filters(), proof=audit.verify(panel, principal, head.strip()))

    return _or_problem(panel, principal, Filters(), looked, noted=head)


def _or_problem(panel: Panel, principal: Principal, filters: Filters, answer: Callable[[], Response], *, noted: str = "") -> Response:
    try:
        return answer()
    except InvalidRequest as error:
        return _page(panel, principal, filters, problem=problem_of(error), noted=noted)


def _page(
    panel: Panel,
    principal: Principal,
    filters: Filters,
    *,
    proof: AuditProof | None = None,
    problem: Problem | None = None,
    noted: str = "",
) -> Response:
    principal.demand(audit.RIGHT)
    shown: dict[str, Any] = {"rows": [], "older": None}
    try:
        shown = _rows(panel, filters)
    except InvalidRequest as error:
        problem = problem_of(error)
    return panel.pages.page(
        "audit.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/audit",
        filters=filters.model_dump(exclude={"before"}),
        is_first=filters.below() is None,
        head=panel.appliance.store.audit.head(),
        proof=proof,
        problem=problem,
        noted=noted,
        **shown,
    )


def _rows(panel: Panel, filters: Filters) -> dict[str, Any]:
    found = panel.appliance.store.audit.list(filters.wanted(), limit=PAGE_ROWS + 1, before=filters.below())
    rows = [(entry, canonical(entry.detail) if entry.detail else "") for entry in found[:PAGE_ROWS]]
    return {"rows": rows, "older": found[PAGE_ROWS - 1].number if len(found) > PAGE_ROWS else None}
