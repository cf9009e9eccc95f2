"""CRMs that are down."""

from tests.support.rule_courses.course import DEMO, Course, flat


def down(*parts: tuple[int, float], maintenance: float = 0) -> dict[str, list[float]]:
    steps = sum(steps for steps, _ in parts)
    up = flat("appliance_probe_up", DEMO | {"target": "service"}, *parts)
    return (
        up
        | flat("appliance_probe_up", DEMO | {"target": "deep"}, (steps, 0.0))
        | flat("appliance_crm_maintenance", DEMO, (steps, maintenance))
    )


OUTAGES = (
    Course(
        name="down",
        rule="CrmDown",
        series=down((5, 1.0), (10, 0.0), (5, 1.0)),
        labels=DEMO | {"target": "service"},
        fires=(420, 840),
        silent=(240, 360, 900),
    ),
    Course(name="down in maintenance", rule="CrmDown", series=down((20, 0.0), maintenance=1), silent=(300, 1140)),
)
