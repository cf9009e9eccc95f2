"""The benchmarks' own arithmetic and command line; the figures themselves are measured by `python -m benchmarks`."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.bare_machine import marks_in, parts_of, seconds_between
from benchmarks.command_line import main
from benchmarks.figure import Measure, MeasureFailed, Say, Taken, figure_of
from benchmarks.measures.bare_up import compared, seconds_by_step, steps_in
from benchmarks.outage import Sample, outage_seconds
from benchmarks.probing import CRMS, INTERVAL_SECONDS, lateness
from benchmarks.registry import all_measures

TREE = Path(__file__).resolve().parents[2]


def measure_of(name: str, *, ours: float, reference: float = 10.0, goal: float = 1.2) -> Measure:
    def take(rounds: int, say: Say) -> Taken:
        say(f"measuring {rounds} times")
        return Taken(ours=ours, reference=reference, note="Made up.")

    return Measure(name=name, title="a made-up one", unit="s", goal=goal, rounds=3, take=take)


def failing(name: str) -> Measure:
    def take(_: int, __: Say) -> Taken:
        raise MeasureFailed("The machine is on fire. Put it out.")

    return Measure(name=name, title="a failing one", unit="s", goal=1.0, rounds=1, take=take)


def samples(pattern: str) -> list[Sample]:
    """A sample a second that takes 0.25 s: `+` is a good answer, `-` is none."""
    return [Sample(asked_at=float(at), answered_at=at + 0.25, is_good=sign == "+") for at, sign in enumerate(pattern)]


def test_the_registry_finds_every_measure_with_the_goal_it_was_given() -> None:
    goals = {name: measure.goal for name, measure in all_measures().items()}
    of_this_machine = {"bare_up": 1.4, "downtime": 1.15, "metrics": 1.0, "playbook": 1.2, "request_to_start": 1.0}
    of_changes = {"downtime_large": 1.15, "rollback": 1.0, "patch_idle": 1.5}
    of_backups = {"backup_incremental": 0.05, "backup_bare": 1.15, "backup_unchanged": 1.0, "backup_overhead": 1.03, "backup_memory": 1.5}
    of_returns = {"restore_full": 1.2, "restore_usual": 0.333, "loss_database": 0.0, "loss_host": 1.0, "points_list": 1.0}
    of_hosts = {"host_install": 1.3, "host_prepare": 1.5}
    of_the_monitor = {"probes_cpu": 1.0, "probes_late": 1.0, "probes_memory": 1.0, "outage_detection": 1.0, "ledger_page": 1.0}
    of_metrics, of_the_panel = (
        {"metrics_growth": 1.15},
        {"panel_pages": 1.0, "panel_lists": 1.0, "panel_memory": 1.0, "live_log": 1.0, "live_click": 1.0, "live_viewers": 1.0},
    )
    assert goals == of_this_machine | of_changes | of_backups | of_returns | of_hosts | of_the_monitor | of_metrics | of_the_panel


def test_a_figure_has_the_fields_of_every_figure_of_this_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["some", "--json"], {"some": measure_of("some", ours=11.0)}) == 0
    figure = json.loads(capsys.readouterr().out)
    assert figure.pop("note").startswith("Made up. Load of the machine before:")
    assert figure == {"measure": "some", "ours": 11.0, "reference": 10.0, "ratio": 1.1, "goal": 1.2, "reached": True, "unit": "s"}


def test_one_missed_goal_of_several_is_told_by_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    measures = {"good": measure_of("good", ours=11.0), "bad": measure_of("bad", ours=13.0)}
    assert main(["--json"], measures) == 1
    assert [json.loads(line)["reached"] for line in capsys.readouterr().out.splitlines()] == [True, False]


def test_rounding_never_turns_a_missed_goal_into_a_reached_one() -> None:
    assert figure_of(measure_of("close", ours=12.0001), Taken(ours=12.0001, reference=10.0, note="")).reached is False


def test_an_unknown_name_is_refused_with_the_names_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sideways"], {"some": measure_of("some", ours=1.0)})
    assert ended.value.code == 2
    assert "some" in capsys.readouterr().err


def test_a_measure_without_a_figure_misses_its_goal_and_the_others_are_still_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {"bad": failing("bad"), "good": measure_of("good", ours=11.0)}) == 1
    told = capsys.readouterr()
    assert "Put it out." in told.err
    assert "good: 11 s, reference 10 s; ratio 1.1, goal 1.2: reached" in told.out


def test_several_are_measured_in_the_order_they_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    measures = {name: measure_of(name, ours=11.0) for name in ("first", "second", "third")}
    assert main(["--json", "third", "first"], measures) == 0
    assert [json.loads(line)["measure"] for line in capsys.readouterr().out.splitlines()] == ["third", "first"]


def test_the_number_of_rounds_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    main(["some", "--rounds", "7"], {"some": measure_of("some", ours=1.0)})
    assert "measuring 7 times" in capsys.readouterr().err


def test_a_reference_of_nothing_gives_no_figure() -> None:
    with pytest.raises(MeasureFailed, match="nothing can be compared"):
        figure_of(measure_of("odd", ours=1.0), Taken(ours=1.0, reference=0.0, note=""))


def test_an_outage_lasts_from_the_first_refusal_to_the_next_good_answer() -> None:
    assert outage_seconds(samples("++---++")) == pytest.approx(3.25)


def test_good_answers_between_two_refusals_belong_to_the_outage() -> None:
    assert outage_seconds(samples("+-+-+")) == pytest.approx(3.25)


@pytest.mark.parametrize("pattern", ["+++", "++-"])
def test_what_was_no_outage_or_never_ended_is_not_measured(pattern: str) -> None:
    with pytest.raises(MeasureFailed):
        outage_seconds(samples(pattern))


def test_marks_are_read_between_whatever_else_a_script_says() -> None:
    marks = marks_in("Reading lists\nmark begin 100.5\nthe mark begin 7\nmark serving 160.75\n")
    assert seconds_between(marks, "begin", "serving") == pytest.approx(60.25)
    assert parts_of(marks) == "serving 60.2 s"


def test_a_milestone_that_was_not_reached_is_named() -> None:
    with pytest.raises(MeasureFailed, match="never reached proven"):
        seconds_between({"begin": 1.0}, "begin", "proven")


def test_bin_up_is_judged_by_the_commands_that_only_install() -> None:
    steps = {"Installing": 90.0, "Taking the first backup": 10.0, "Proving it by a restore": 20.0}
    taken = compared([120.0, 140.0], [99.0, 101.0], [128.0, 132.0], [steps, steps])
    assert (taken.ours, taken.reference) == (130.0, 100.0)
    assert "which take 30 s, bin/up takes 100.0 s and the ratio is 1.000" in taken.note
    assert taken.parts == steps


def test_the_bare_commands_are_scripts_that_a_shell_can_read() -> None:
    scripts = list((TREE / "benchmarks").glob("*.sh"))
    assert len(scripts) == 3
    assert [subprocess.run(["sh", "-n", script], check=False).returncode for script in scripts] == [0, 0, 0]


def test_the_times_of_the_steps_of_bin_up_are_picked_from_its_output() -> None:
    output = "mark begin 1\n[ 1/9] Installing Debian packages … 12 s\n       Build the release … 40 s\nOpen http://127.0.0.1\n"
    assert steps_in(output) == ["[ 1/9] Installing Debian packages … 12 s", "       Build the release … 40 s"]


def test_a_step_with_lines_below_it_takes_what_its_last_line_says() -> None:
    output = (
        "[ 1/10] Debian packages … 12 s\n[ 2/10] Nothing … as before\n[10/10] Proving … \n        Restore … 4 s\n        26 s\n\nDone\n"
    )
    assert seconds_by_step(output) == {"Debian packages": 12.0, "Nothing": 0.0, "Proving": 26.0}


def asked(crms: int, *moments: float) -> list[str]:
    return [f"{moment:.3f} /crm-{number:04}\n" for moment in moments for number in range(crms)]


def test_a_question_is_late_by_what_it_came_after_the_interval() -> None:
    late = lateness(iter(asked(CRMS, 100, 100 + INTERVAL_SECONDS, 100.5 + 2 * INTERVAL_SECONDS, 100.4 + 3 * INTERVAL_SECONDS)))
    assert (len(late), {round(seconds, 3) for seconds in late}) == (3 * CRMS, {0, 0.5})


def test_pages_that_were_not_asked_are_no_figure() -> None:
    with pytest.raises(MeasureFailed, match=f"of {CRMS} pages were asked"):
        lateness(iter(asked(CRMS - 1, 100, 110, 120, 130)))
