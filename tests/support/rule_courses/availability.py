"""Availability that burns its error budget."""

from tests.support.rule_courses.course import DEMO, MINUTE, Course, flat, shown


def states(*parts: tuple[int, str], seconds: int = MINUTE, promised: float = 0.995) -> dict[str, list[float]]:
    """Time that a CRM spent in each state, from the states of its steps."""
    told = [state for steps, state in parts for _ in range(steps)]
    series = flat("appliance_slo_objective_ratio", DEMO | {"slo": "availability"}, (len(told) + 1, promised))
    series |= flat("appliance_crm_maintenance", DEMO, *[(steps, float(state == "maintenance")) for steps, state in parts], (1, 0.0))
    for state in ("up", "degraded", "down", "maintenance", "unknown"):
        spent = [0.0]
        for one in told:
            spent.append(spent[-1] + seconds * (one == state))
        series[shown("appliance_probe_state_seconds_total", DEMO | {"target": "service", "state": state})] = spent
    return series


AVAILABILITY = (
    Course(
        name="down for ten minutes",
        rule="AvailabilityBurnsFast",
        series=states((120, "up"), (10, "down"), (60, "up")),
        fires=(125 * MINUTE, 131 * MINUTE),
        silent=(119 * MINUTE, 122 * MINUTE, 140 * MINUTE),
    ),
    Course(
        name="down, then maintenance",
        rule="AvailabilityBurnsFast",
        series=states((120, "up"), (10, "down"), (20, "maintenance"), (10, "up")),
        fires=(129 * MINUTE,),
        silent=(131 * MINUTE, 145 * MINUTE),
    ),
    Course(
        name="down in a stretch that hardly anybody saw",
        rule="AvailabilityBurnsFast",
        series=states((50, "unknown"), (10, "down"), (5, "down")),
        silent=(60 * MINUTE, 63 * MINUTE),
    ),
    Course(
        name="a loose promise",
        rule="AvailabilityBurnsFast",
        series=states((120, "up"), (10, "down"), (10, "up"), promised=0.95),
        silent=(125 * MINUTE, 130 * MINUTE),
    ),
    Course(
        name="down for fifteen minutes of six hours",
        rule="AvailabilityBurns",
        series=states((360, "up"), (15, "down"), (60, "up")),
        fires=(374 * MINUTE, 380 * MINUTE),
        silent=(360 * MINUTE, 365 * MINUTE, 420 * MINUTE),
    ),
    Course(
        name="down for half an hour of a day",
        rule="AvailabilityBurnsSlowly",
        series=states((288, "up"), (6, "down"), (40, "up"), seconds=5 * MINUTE),
        step_seconds=5 * MINUTE,
        fires=(294 * 5 * MINUTE,),
        silent=(288 * 5 * MINUTE, 290 * 5 * MINUTE, 325 * 5 * MINUTE),
    ),
    Course(
        name="down for half an hour of three days",
        rule="AvailabilityTrickles",
        series=states((864, "up"), (6, "down"), (120, "up"), seconds=5 * MINUTE),
        step_seconds=5 * MINUTE,
        fires=(870 * 5 * MINUTE,),
        silent=(864 * 5 * MINUTE, 866 * 5 * MINUTE, 960 * 5 * MINUTE),
    ),
)
