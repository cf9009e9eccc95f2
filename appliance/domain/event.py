"""What has happened, for programs: an operation came to another state, a CRM was found otherwise than before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance.domain.operation import OperationStatus

HEALTH = "instance.health"
TYPES = (*(f"operation.{status.value}" for status in OperationStatus), HEALTH)
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One that has happened; ids grow and are never given twice. `subject` is an instance, or `host:NAME`."""

    id: int
    at: datetime
    type: str
    subject: str
    data: Mapping[str, Any]
