"""Every kind of operation. To add one: write its module in `kinds/`, name it here."""

from appliance.operations.kinds.archive import ARCHIVE
from appliance.operations.kinds.backup import BACKUP_WORKFLOW
from appliance.operations.kinds.certificate import CERTIFICATE
from appliance.operations.kinds.check import CHECK
from appliance.operations.kinds.configure import CONFIGURE
from appliance.operations.kinds.drill import DRILL
from appliance.operations.kinds.fleet_patch import FLEET_PATCH
from appliance.operations.kinds.host_patch import HOST_PATCH
from appliance.operations.kinds.host_prepare import HOST_PREPARE
from appliance.operations.kinds.install import INSTALL
from appliance.operations.kinds.maintenance import MAINTENANCE
from appliance.operations.kinds.monitoring_stack import MONITORING_STACK
from appliance.operations.kinds.patch import PATCH
from appliance.operations.kinds.rehearse import REHEARSE
from appliance.operations.kinds.remove import REMOVE
from appliance.operations.kinds.restore import RESTORE_BESIDE, RESTORE_IN_PLACE
from appliance.operations.kinds.restore_files import RESTORE_FILES
from appliance.operations.kinds.restore_tables import RESTORE_TABLES
from appliance.operations.kinds.retention import RETENTION
from appliance.operations.kinds.rollback import ROLLBACK
from appliance.operations.kinds.tidy import TIDY
from appliance.operations.kinds.upgrade import UPGRADE
from appliance.operations.workflow import Workflows

WORKFLOWS: Workflows = {
    workflow.kind: workflow
    for workflow in (
        HOST_PREPARE,
        HOST_PATCH,
        MONITORING_STACK,
        INSTALL,
        BACKUP_WORKFLOW,
        ARCHIVE,
        CHECK,
        RETENTION,
        RESTORE_IN_PLACE,
        RESTORE_BESIDE,
        RESTORE_FILES,
        RESTORE_TABLES,
        DRILL,
        REHEARSE,
        UPGRADE,
        PATCH,
        FLEET_PATCH,
        ROLLBACK,
        CONFIGURE,
        CERTIFICATE,
        MAINTENANCE,
        TIDY,
        REMOVE,
    )
}
