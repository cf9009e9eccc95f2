"""`python -m monitoring probe` and `python -m monitoring serve`."""

import argparse
import sys
from pathlib import Path

from monitoring.once import probe_once
from monitoring.serve import serve


def main() -> int:
    """Returns the exit code."""
    arguments = _parser().parse_args()
    if arguments.verb == "probe":
        return probe_once(sys.stdin, sys.stdout)
    return serve(targets=arguments.targets, ledger=arguments.ledger, listen=arguments.listen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("probe", help="run the probes described on standard input once and print their results")
    watch = verbs.add_parser("serve", help="watch the CRMs of the targets file and serve /metrics until SIGTERM")
    watch.add_argument("--targets", type=Path, required=True, metavar="FILE", help="what to watch; read again when it changes")
    watch.add_argument("--ledger", type=Path, required=True, metavar="FILE", help="where to keep what was seen; made if needed")
    watch.add_argument("--listen", type=_address, default="127.0.0.1:9470", metavar="HOST:PORT")
    return parser


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
