"""The tables, by what they are about."""

from appliance.store.models.base import Base
from appliance.store.models.instances import AdoptionRow, HostRow, InstanceRow, NoticeRow, PendingRow, PointRow, RepositoryRow, SnoozeRow
from appliance.store.models.operations import EventRow, LogRow, OperationRow, RequestKeyRow, ScheduleRow, ShareRow, StepRow, SwitchRow
from appliance.store.models.people import (
    AnsweredChallengeRow,
    AttemptsRow,
    AuditRow,
    GrantRow,
    IdentityRow,
    LoginProviderRow,
    PasskeyRow,
    RecoveryCodeRow,
    SecondFactorRow,
    SecretRow,
    SessionRow,
    TokenRow,
    UserRow,
)
from appliance.store.models.receivers import ChannelRow, DeliveryRow, WebhookRow

__all__ = [
    "AdoptionRow",
    "AnsweredChallengeRow",
    "AttemptsRow",
    "AuditRow",
    "Base",
    "ChannelRow",
    "DeliveryRow",
    "EventRow",
    "GrantRow",
    "HostRow",
    "IdentityRow",
    "InstanceRow",
    "LogRow",
    "LoginProviderRow",
    "NoticeRow",
    "OperationRow",
    "PasskeyRow",
    "PendingRow",
    "PointRow",
    "RecoveryCodeRow",
    "RepositoryRow",
    "RequestKeyRow",
    "ScheduleRow",
    "SecondFactorRow",
    "SecretRow",
    "SessionRow",
    "ShareRow",
    "SnoozeRow",
    "StepRow",
    "SwitchRow",
    "TokenRow",
    "UserRow",
    "WebhookRow",
]
