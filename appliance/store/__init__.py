"""What the appliance remembers: the only SQL of the panel."""

from dataclasses import dataclass
from pathlib import Path

from appliance.store.access import Access
from appliance.store.channels import Channels
from appliance.store.database import Database, open_database
from appliance.store.hosts import Hosts
from appliance.store.journal import Journal
from appliance.store.logs import Logs
from appliance.store.notices import Notices
from appliance.store.pending import PendingAnswers
from appliance.store.registry import Instances, Points
from appliance.store.repositories import Repositories
from appliance.store.schedules import Schedules
from appliance.store.vault import Vault, open_key


@dataclass(frozen=True, kw_only=True)
class Store:
    """The rooms of the store, over one database."""

    database: Database
    operations: Journal
    logs: Logs
    hosts: Hosts
    instances: Instances
    points: Points
    repositories: Repositories
    notices: Notices
    pending: PendingAnswers
    schedules: Schedules
    channels: Channels
    access: Access
    vault: Vault


def open_store(database_file: Path, key_file: Path) -> Store:
    """Open the store, made and migrated if need be."""
    database = open_database(database_file)
    return Store(
        database=database,
        operations=Journal(database=database),
        logs=Logs(database=database),
        hosts=Hosts(database=database),
        instances=Instances(database=database),
        points=Points(database=database),
        repositories=Repositories(database=database),
        notices=Notices(database=database),
        pending=PendingAnswers(database=database),
        schedules=Schedules(database=database),
        channels=Channels(database=database),
        access=Access(database=database),
        vault=Vault(database=database, key=open_key(key_file)),
    )
