"""`bin/up` on a bare Debian beside the bare commands that install the same CRM by hand on an equally bare one."""

import re
import shlex
from collections.abc import Mapping
from statistics import median

from benchmarks.bare_machine import marks_in, parts_of, run_script, seconds_between
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.privilege import require_root

OURS_SETTINGS = {
    "APPLIANCE_PANEL_LISTEN": "127.0.0.1:23470",
    "APPLIANCE_MONITOR_LISTEN": "127.0.0.1:23471",
    "APPLIANCE_CRM_PORT_BASE": "23480",
    "APPLIANCE_DATABASE_PORT_BASE": "23500",
    "APPLIANCE_DEPLOYMENT_PORT_BASE": "23600",
}
"""The machine has no network of its own: it must not meet an appliance that lives on this one."""
STEPS_BEYOND = 2
"""The last steps of bin/up, the backup and its proof, are what the reference does not do before its mark."""
SITE_PORT, WEB_PORT = 23700, 23701


def ours_script(settings: Mapping[str, str] = OURS_SETTINGS) -> str:
    """Give the script that measures bin/up."""
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    return f'mark() {{ echo "mark $1 $(date +%s.%N)"; }}\nmark begin\nenv {variables} bin/up || exit\nmark proven\n'


TITLE = re.compile(r"^\[ *\d+/\d+\] (.*) … (?:(\d+) s)?")
TOTAL = re.compile(r"^ {8}(\d+) s$")
STEP = re.compile(r"^(?:\[ *\d+/\d+\]| {4,}).* … .*$", re.MULTILINE)
REFERENCE_SCRIPT = f"exec benchmarks/bare_commands.sh {SITE_PORT} {WEB_PORT}\n"


def take(rounds: int, say: Say) -> Taken:
    """Measure both in turn; who is first changes from round to round, since the second finds warmer mirrors."""
    require_root("bare_up")
    ours, plain, complete = [], [], []
    parts: list[dict[str, float]] = []
    for number in range(rounds):
        for script in (ours_script(), REFERENCE_SCRIPT) if number % 2 == 0 else (REFERENCE_SCRIPT, ours_script()):
            output = run_script(script)
            marks = marks_in(output)
            total = seconds_between(marks, "begin", "proven")
            if script == REFERENCE_SCRIPT:
                complete.append(total)
                plain.append(seconds_between(marks, "begin", "serving"))
                say(f"round {number + 1}: bare commands {plain[-1]:.0f} s until it served, {total:.0f} s in all: {parts_of(marks)}")
            else:
                ours.append(total)
                parts.append(seconds_by_step(output))
                for line in steps_in(output):
                    say(line)
                say(f"round {number + 1}: bin/up {total:.0f} s")
    return compared(ours, plain, complete, parts)


def steps_in(output: str) -> list[str]:
    """Pick the lines in which bin/up says how long each of its steps took."""
    return STEP.findall(output)


def seconds_by_step(output: str) -> dict[str, float]:
    """Read how long each numbered step of bin/up took, with all that stands below it."""
    found: dict[str, float] = {}
    title = ""
    for line in output.splitlines():
        if begun := TITLE.match(line):
            title = begun[1]
            found[title] = float(begun[2] or 0)
        elif (ended := TOTAL.match(line)) and title:
            found[title] = float(ended[1])
    return found


def compared(ours: list[float], plain: list[float], complete: list[float], parts: list[dict[str, float]]) -> Taken:
    """Judge bin/up, which also backs up and proves, by the commands that only install. Raises MeasureFailed for no round."""
    if not (ours and plain and complete):
        raise MeasureFailed("Nothing was measured.")
    steps = {name: median(each[name] for each in parts if name in each) for name in (parts[0] if parts else {})}
    beyond = sum(list(steps.values())[-STEPS_BEYOND:])
    note = (
        f"Medians of {len(ours)} runs in turn on bare Debian 12, all caches empty. bin/up also brings the appliance itself, a first backup "
        f"and a restore that proves it; the reference only installs the CRM. Without the two, which take {beyond:.0f} s, bin/up takes "
        f"{median(ours) - beyond:.1f} s and the ratio is {(median(ours) - beyond) / median(plain):.3f}. With backup and restore by hand "
        f"the reference takes {median(complete):.1f} s and the ratio is {median(ours) / median(complete):.3f}."
    )
    return Taken(ours=median(ours), reference=median(plain), note=note, parts=steps)


MEASURE = Measure(
    name="bare_up",
    title="bin/up on a bare Debian 12 against the bare commands by hand",
    unit="s",
    goal=1.4,
    rounds=2,
    take=take,
)
