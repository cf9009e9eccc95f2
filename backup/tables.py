"""Results as a person at a terminal wants to read them."""

from collections.abc import Sequence

from pydantic import JsonValue

from backup.points import RecoveryPoint

MEGABYTE = 1_000_000


def shown(verb: str, facts: dict[str, JsonValue]) -> str:
    """Give a verb's result as text: a table of points, else one line for each fact."""
    if verb == "points" and isinstance(facts["points"], list):
        return table_of_points([RecoveryPoint.model_validate(point) for point in facts["points"]])
    return "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items())


def table_of_points(points: Sequence[RecoveryPoint]) -> str:
    """Give one line a point, columns aligned."""
    if not points:
        return "There are no recovery points."
    rows = [("POINT", "CRM", "AT (UTC)", "SIZE MB", "ADDED MB", "RECORDS", "WARNINGS"), *(_row(point) for point in points)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _row(point: RecoveryPoint) -> tuple[str, ...]:
    counts = " ".join(f"{name}={count}" for name, count in point.counts.items())
    sizes = (f"{point.bytes_processed / MEGABYTE:.1f}", f"{point.bytes_added / MEGABYTE:.1f}")
    return (point.id, point.crm, f"{point.at:%Y-%m-%d %H:%M:%S}", *sizes, counts or "-", str(len(point.warnings) or "-"))
