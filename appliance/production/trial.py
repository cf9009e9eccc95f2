"""Run by a new release on a copy of the store, before anything is stopped: the store migrates; panel, worker and monitor load."""

import sys

from appliance import __version__
from appliance.config import load_settings
from appliance.errors import ApplianceError
from appliance.operations.certifying import AUTHORITY_SCOPE
from appliance.operations.workflows import WORKFLOWS
from appliance.store.database import is_current
from appliance.web.app import create_app
from appliance.wiring import open_appliance
from appliance.worker import Worker
from monitoring.serve import serve


def main() -> int:
    """Print the version; the exit code is 1 when this release cannot be used with that store."""
    try:
        appliance = open_appliance(load_settings())
        create_app(appliance)
        Worker(appliance=appliance, workflows=WORKFLOWS)
        appliance.store.vault.all(AUTHORITY_SCOPE)
    except ApplianceError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(__version__)
    return 0 if is_current(appliance.store.database) and callable(serve) else 1


if __name__ == "__main__":
    sys.exit(main())
