"""The newest row of each subject, found by seeking in an index: what has a long life has too many rows to look at each."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from appliance.store.models import InstanceRow, OperationRow, PointRow


def last_operations(subjects: Collection[str] | None) -> Select[int]:
    """The id of the last operation of each subject, or of these."""
    if subjects is not None:
        return select(func.max(OperationRow.id)).where(OperationRow.instance.in_(subjects)).group_by(OperationRow.instance)
    each = select(func.min(OperationRow.instance).label("subject")).cte("each_subject", recursive=True)
    each = each.union_all(select(_least_above(OperationRow.instance, each.c.subject)).where(each.c.subject.is_not(None)))
    last = select(func.max(OperationRow.id)).where(OperationRow.instance == each.c.subject).scalar_subquery()
    return select(last).where(each.c.subject.is_not(None))


def newest_points(instances: Collection[str] | None) -> Select[str, datetime]:
    """Each CRM that there is, or each of these, and the moment of its newest recovery point; None if it has none."""
    newest = select(func.max(PointRow.at)).where(PointRow.instance == InstanceRow.name).scalar_subquery()
    query = select(InstanceRow.name, newest)
    return query if instances is None else query.where(InstanceRow.name.in_(instances))


def _least_above(column: InstrumentedAttribute[str], value: Any) -> Any:
    return select(func.min(column)).where(column > value).scalar_subquery()
