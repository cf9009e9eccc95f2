"""Latency that burns its error budget."""

from tests.support.rule_courses.availability import states
from tests.support.rule_courses.course import DEMO, MINUTE, Course, flat, shown


def latency(*parts: tuple[int, float], seconds: int = MINUTE, seen: str = "up") -> dict[str, list[float]]:
    """Four probes a step, of which a share is fast enough; more buckets than the one that counts."""
    target, steps = DEMO | {"target": "ready"}, sum(steps for steps, _ in parts)
    series = states((steps, seen), seconds=seconds)
    series |= flat("appliance_slo_objective_ratio", DEMO | {"slo": "latency"}, (steps + 1, 0.95))
    series |= flat("appliance_slo_latency_bound", DEMO | {"bound": "2.0"}, (steps + 1, 1.0))
    fast, every = [0.0], [0.0]
    for share in [share for steps, share in parts for _ in range(steps)]:
        fast.append(fast[-1] + 4 * share)
        every.append(every[-1] + 4)
    series[shown("appliance_probe_duration_seconds_bucket", target | {"le": "2.0"})] = fast
    series[shown("appliance_probe_duration_seconds_bucket", target | {"le": "0.05"})] = [0.0] * len(every)
    series[shown("appliance_probe_duration_seconds_bucket", target | {"le": "+Inf"})] = every
    series[shown("appliance_probe_duration_seconds_count", target)] = every
    return series


LATENCY = (
    Course(
        name="hardly an answer in time for most of an hour",
        rule="LatencyBurnsFast",
        series=latency((120, 1.0), (50, 0.0), (60, 1.0)),
        fires=(165 * MINUTE, 170 * MINUTE),
        silent=(119 * MINUTE, 160 * MINUTE, 178 * MINUTE),
    ),
    Course(
        name="half of the answers late, which is not fast enough for the fast one",
        rule="LatencyBurnsFast",
        series=latency((120, 1.0), (120, 0.5), (10, 1.0)),
        silent=(180 * MINUTE, 240 * MINUTE),
    ),
    Course(
        name="slow in a stretch that hardly anybody saw",
        rule="LatencyBurnsFast",
        series=latency((120, 0.0), seen="unknown"),
        silent=(100 * MINUTE, 120 * MINUTE),
    ),
    Course(
        name="slow, then maintenance",
        rule="LatencyBurnsFast",
        series=latency((120, 0.0)) | flat("appliance_crm_maintenance", DEMO, (100, 0.0), (21, 1.0)),
        fires=(99 * MINUTE,),
        silent=(25 * MINUTE, 100 * MINUTE, 120 * MINUTE),
    ),
    Course(
        name="slow for three hours",
        rule="LatencyBurns",
        series=latency((360, 1.0), (180, 0.3), (60, 1.0)),
        fires=(539 * MINUTE,),
        silent=(359 * MINUTE, 370 * MINUTE, 590 * MINUTE),
    ),
    Course(
        name="slow for six hours of a day",
        rule="LatencyBurnsSlowly",
        series=latency((288, 1.0), (72, 0.3), (40, 1.0), seconds=5 * MINUTE),
        step_seconds=5 * MINUTE,
        fires=(360 * 5 * MINUTE,),
        silent=(288 * 5 * MINUTE, 310 * 5 * MINUTE, 390 * 5 * MINUTE),
    ),
    Course(
        name="slow for six hours of three days",
        rule="LatencyTrickles",
        series=latency((288, 1.0), (24, 0.3), (34, 1.0), seconds=15 * MINUTE),
        step_seconds=15 * MINUTE,
        fires=(312 * 15 * MINUTE, 320 * 15 * MINUTE),
        silent=(288 * 15 * MINUTE, 300 * 15 * MINUTE, 338 * 15 * MINUTE),
    ),
)
