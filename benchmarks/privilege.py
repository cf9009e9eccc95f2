"""Some measures install a CRM, which only root can do."""

import os

from benchmarks.figure import MeasureFailed


def require_root(measure: str) -> None:
    """Raises MeasureFailed for anybody else."""
    if os.geteuid() != 0:
        raise MeasureFailed(f"{measure} installs a CRM and must be run as root; nothing was changed. Run it with sudo.")
