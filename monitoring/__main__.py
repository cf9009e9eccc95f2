"""`python -m monitoring` with the verbs `probe`, `query`, `serve`, `rules` and `dashboard`."""

import argparse
import sys
from pathlib import Path

from monitoring import grafana
from monitoring.once import probe_once
from monitoring.rules.prometheus import DIRECTORY, write
from monitoring.serve import serve


def main() -> int:
    """Returns the exit code."""
    arguments = _parser().parse_args()
    if arguments.verb == "probe":
        return probe_once(sys.stdin, sys.stdout)
    if arguments.verb == "query":
        from monitoring.queries import query  # noqa: PLC0415 - it needs a driver, which takes a tenth of a second to load

        return query(sys.stdin, sys.stdout)
    if arguments.verb == "dashboard":
        grafana.FILE.write_text(grafana.dashboard(), encoding="utf-8")
        return 0
    if arguments.verb == "rules":
        return _write_rules(arguments.directory)
    return serve(targets=arguments.targets, ledger=arguments.ledger, listen=arguments.listen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("probe", help="run the probes described on standard input once and print their results")
    verbs.add_parser("query", help="ask a CRM's database what is described on standard input, at the least priority, and print the rows")
    rules = verbs.add_parser("rules", help="write the alert rules as files for Prometheus")
    rules.add_argument("--directory", type=Path, default=DIRECTORY, metavar="DIRECTORY", help="where to, instead of beside this package")
    verbs.add_parser("dashboard", help="write the Grafana dashboard")
    watch = verbs.add_parser("serve", help="watch the CRMs of the targets file and serve /metrics until SIGTERM")
    watch.add_argument("--targets", type=Path, required=True, metavar="FILE", help="what to watch; read again when it changes")
    watch.add_argument("--ledger", type=Path, required=True, metavar="FILE", help="where to keep what was seen; made if needed")
    watch.add_argument("--listen", type=_address, default="127.0.0.1:9470", metavar="HOST:PORT")
    return parser


def _write_rules(directory: Path) -> int:
    try:
        print("\n".join(map(str, write(directory))))
    except OSError as error:
        print(f"The rules cannot be written: {error}. What was there may be older than the table.", file=sys.stderr)
        return 1
    return 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
