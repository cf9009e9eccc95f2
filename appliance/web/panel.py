"""What every page and every call of the API is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Request

from appliance.domain.operation import Operation
from appliance.domain.own_upgrade import OwnUpgrade
from appliance.web.assets import Assets
from appliance.web.in_flight import InFlight
from appliance.web.tails import Tails
from appliance.web.templating import Pages
from appliance.wiring import Appliance

LARGEST_ID = 2**63 - 1
"""What SQLite's integers hold."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The appliance, the templates and files of the pages, the clock (aware, UTC), whether the process is about to end.

    `last_upgrade` tells of the appliance's own.
    """

    appliance: Appliance
    pages: Pages
    assets: Assets
    clock: Callable[[], datetime]
    tails: Tails
    is_closing: Callable[[], bool] = lambda: False
    last_upgrade: Callable[[], OwnUpgrade | None] = lambda: None
    in_flight: InFlight = field(default_factory=InFlight)


def panel_of(request: Request) -> Panel:
    """Give the panel that `create_app` built."""
    panel: Panel = request.app.state.panel
    return panel


PanelDependency = Annotated[Panel, Depends(panel_of)]


def operation_of(operation_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], panel: PanelDependency) -> Operation:
    """Look up the operation of an address. Raises NotFound."""
    return panel.appliance.store.operations.get(operation_id)


OperationDependency = Annotated[Operation, Depends(operation_of)]
