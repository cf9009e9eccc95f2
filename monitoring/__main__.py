"""`python -m monitoring probe` and `python -m monitoring serve`."""

import argparse
import sys

from monitoring.once import probe_once


def main() -> int:
    """Returns the exit code."""
    arguments = _parser().parse_args()
    if arguments.verb == "probe":
        return probe_once(sys.stdin, sys.stdout)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("probe", help="run the probes described on standard input once and print their results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
