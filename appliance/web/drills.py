"""How drills are drawn over time."""

from appliance.domain.instance import Instance
from appliance.domain.operation import OperationStatus
from appliance.operations.drilled import Drill
from appliance.web.charts import Bar, bars
from appliance.web.formats import duration, exact
from appliance.web.languages import gettext


def chart_of(drills: list[Drill], instance: Instance) -> list[Bar]:
    """How long each took, oldest first; red where it failed or took longer than is promised."""
    values = []
    for drill in reversed(drills):
        late = drill.took is not None and instance.objectives.is_too_long(drill.took)
        failed = drill.operation.status != OperationStatus.SUCCEEDED
        took = gettext("failed") if failed or drill.took is None else duration(drill.took)
        told = f"{exact(drill.at)}: {took}"
        values.append((drill.took.total_seconds() if drill.took else 0.0, told, "missed" if failed or late else ""))
    return bars(values)
