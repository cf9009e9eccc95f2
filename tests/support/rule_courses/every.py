"""Courses of things, one or more for each alert rule."""

from tests.support.rule_courses.adoption import ADOPTION
from tests.support.rule_courses.appliance import APPLIANCE
from tests.support.rule_courses.availability import AVAILABILITY
from tests.support.rule_courses.latency import LATENCY
from tests.support.rule_courses.machines import MACHINES
from tests.support.rule_courses.outages import OUTAGES
from tests.support.rule_courses.recovery import RECOVERY

COURSES = (*OUTAGES, *AVAILABILITY, *LATENCY, *RECOVERY, *MACHINES, *ADOPTION, *APPLIANCE)
