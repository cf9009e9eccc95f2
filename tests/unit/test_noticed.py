"""What visitors noticed is what the monitor measured; what it did not measure is said."""

from datetime import timedelta
from pathlib import Path

from appliance.operations.noticed import noticed
from monitoring.ledger import Ledger
from tests.support.operating import make_appliance


def test_without_a_monitor_nothing_is_claimed(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    assert noticed(appliance, "sales", timedelta(minutes=5)) == "sales: not measured, the monitor has no ledger yet"


def test_a_crm_that_was_not_watched_is_not_said_to_have_been_there(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    appliance.settings.ledger_file.parent.mkdir(parents=True)
    with Ledger(appliance.settings.ledger_file):
        pass
    assert "did not ask for 300 s" in noticed(appliance, "sales", timedelta(minutes=5))
