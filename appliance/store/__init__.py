"""What the appliance remembers: the only SQL of the panel."""

from dataclasses import dataclass
from pathlib import Path

from appliance.store.access import Access
from appliance.store.adoption import Adoptions
from appliance.store.attempts import Attempts
from appliance.store.audit import Audit
from appliance.store.channels import Channels
from appliance.store.database import Database, open_database
from appliance.store.events import Events
from appliance.store.grants import Grants
from appliance.store.hosts import Hosts
from appliance.store.journal import Journal
from appliance.store.login_providers import LoginProviders
from appliance.store.logs import Logs
from appliance.store.notices import Notices
from appliance.store.passkeys import Passkeys
from appliance.store.pending import PendingAnswers
from appliance.store.registry import Instances, Points
from appliance.store.repositories import Repositories
from appliance.store.request_keys import RequestKeys
from appliance.store.schedules import Schedules
from appliance.store.second_factors import SecondFactors
from appliance.store.shares import Shares
from appliance.store.snoozes import Snoozes
from appliance.store.tokens import Tokens
from appliance.store.users import Users
from appliance.store.vault import Vault, open_key
from appliance.store.webhooks import Webhooks


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
    adoption: Adoptions
    request_keys: RequestKeys
    schedules: Schedules
    channels: Channels
    events: Events
    access: Access
    attempts: Attempts
    second_factors: SecondFactors
    passkeys: Passkeys
    login_providers: LoginProviders
    grants: Grants
    audit: Audit
    shares: Shares
    snoozes: Snoozes
    tokens: Tokens
    users: Users
    vault: Vault
    webhooks: Webhooks


def open_store(database_file: Path, key_file: Path, *, keeps_connections: bool = False) -> Store:
    """Open the store, made and migrated if need be; `keeps_connections` for a process that asks often and never forks."""
    database = open_database(database_file, keeps_connections=keeps_connections)
    vault = Vault(database=database, key=open_key(key_file))
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
        adoption=Adoptions(database=database),
        request_keys=RequestKeys(database=database),
        schedules=Schedules(database=database),
        channels=Channels(database=database),
        events=Events(database=database),
        access=Access(database=database),
        attempts=Attempts(database=database),
        second_factors=SecondFactors(database=database, vault=vault),
        passkeys=Passkeys(database=database),
        login_providers=LoginProviders(database=database, vault=vault),
        grants=Grants(database=database),
        audit=Audit(database=database),
        shares=Shares(database=database),
        snoozes=Snoozes(database=database),
        tokens=Tokens(database=database),
        users=Users(database=database),
        vault=vault,
        webhooks=Webhooks(database=database),
    )
