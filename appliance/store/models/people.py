"""Who may come in, by what, what they did, and secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Base


class UserRow(Base):
    """Somebody who may log in."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    must_change: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    language: Mapped[str | None]
    theme: Mapped[str | None]


class AttemptsRow(Base):
    """How many attempts to log in have failed at a door from one place, since the first of them."""

    __tablename__ = "attempts"

    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    door: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class SecondFactorRow(Base):
    """A user's second factor: an app, whose secret is in the vault, or passkeys, or both.

    No code of a step up to `last_step` is taken any more.
    """

    __tablename__ = "second_factors"

    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime]
    last_step: Mapped[int]
    has_app: Mapped[bool] = mapped_column(default=True, server_default=true())


class PasskeyRow(Base):
    """A passkey of a user; its id is the beginning of the hash of its credential's."""

    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("user", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    name: Mapped[str]
    credential: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    handle: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class AnsweredChallengeRow(Base):
    """A challenge that a passkey has answered; it is not taken twice. Only its hash is kept, until it would be over anyway."""

    __tablename__ = "answered_challenges"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class RecoveryCodeRow(Base):
    """A recovery code that was not used yet; only its hash is kept."""

    __tablename__ = "recovery_codes"

    user: Mapped[str] = mapped_column(ForeignKey("second_factors.user", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class SessionRow(Base):
    """A browser that is logged in; only the hash of its token is kept."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(default="", server_default="")
    browser: Mapped[str] = mapped_column(default="", server_default="")
    confirmed_at: Mapped[datetime | None]


class GrantRow(Base):
    """A CRM that a user may operate whose role does not let him operate all."""

    __tablename__ = "grants"

    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"), primary_key=True)
    instance: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class LoginProviderRow(Base):
    """The provider that people log in by; its secret is in the vault. There is one row, or none."""

    __tablename__ = "login_provider"

    id: Mapped[int] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]]
    since: Mapped[datetime]


class IdentityRow(Base):
    """Who somebody is at a provider."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    follows: Mapped[bool]
    since: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class TokenRow(Base):
    """A bearer token of the API; only its hash is kept."""

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(server_default="administrator")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class AuditRow(Base):
    """Who did what, when; written by `store/audit.py` alone. Triggers let nothing but a next entry be added."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class SecretRow(Base):
    """A secret, encrypted with the appliance's key."""

    __tablename__ = "secrets"

    scope: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    since: Mapped[datetime | None]
