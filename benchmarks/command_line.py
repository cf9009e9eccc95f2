"""Run some measures or all; exit 0 when every goal is reached, 1 when one is missed, 2 for an unknown name, 130 when interrupted."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks.figure import Figure, Measure, MeasureFailed, figure_of
from benchmarks.registry import all_measures

REACHED, MISSED, INTERRUPTED = 0, 1, 130


def main(argv: Sequence[str], measures: Mapping[str, Measure] | None = None) -> int:
    """Measure what the command line names and print a figure for each; returns the exit code."""
    measures = all_measures() if measures is None else measures
    chosen = parse(argv, measures)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = chosen.names or list(measures)
    try:
        reached = [_measure(measures[name], chosen) for name in names]
    except KeyboardInterrupt:
        print("Interrupted; what was started has ended.", file=sys.stderr)
        return INTERRUPTED
    return REACHED if all(reached) else MISSED


def parse(argv: Sequence[str], measures: Mapping[str, Measure]) -> argparse.Namespace:
    """Read the command line; exits with 2 for a name that no measure has."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure this appliance against what it stands on.")
    parser.add_argument("names", nargs="*", type=_one_of(measures), metavar="NAME", help=f"of {', '.join(measures)}; default: all")
    parser.add_argument("--json", action="store_true", help="print an object per measure instead of a sentence")
    parser.add_argument("--rounds", type=_rounds, help="how often each side is measured; default: the measure's own number")
    return parser.parse_args(argv)


def _one_of(measures: Mapping[str, Measure]) -> Callable[[str], str]:
    def name(word: str) -> str:
        if word not in measures:
            raise argparse.ArgumentTypeError(f"{word} is no measure; there are {', '.join(measures)}")
        return word

    return name


def _rounds(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is no number of rounds; give 1 or more")
    return int(word)


def _measure(measure: Measure, chosen: argparse.Namespace) -> bool:
    """Take one measure and print its figure; one that cannot be taken has not reached its goal."""
    rounds = chosen.rounds or measure.rounds
    say(f"{measure.name}: {measure.title}, {rounds} {'round' if rounds == 1 else 'rounds'}")
    load = os.getloadavg()[0]
    try:
        figure = figure_of(measure, measure.take(rounds, say))
    except MeasureFailed as failure:
        print(f"{measure.name} gave no figure. {failure}", file=sys.stderr)
        return False
    figure = replace(figure, note=f"{figure.note} Load of the machine before: {load:.1f}, after: {os.getloadavg()[0]:.1f}.")
    _print(figure, as_json=chosen.json)
    return figure.reached


def _print(figure: Figure, *, as_json: bool) -> None:
    print(figure.as_json() if as_json else figure.as_line(), flush=True)


def say(text: str) -> None:
    """Tell the person at the terminal; standard output is for figures alone."""
    print(f"  {text}", file=sys.stderr, flush=True)
