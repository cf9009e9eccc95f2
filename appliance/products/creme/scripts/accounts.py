"""Fed to `creme shell`: replaces the vendor's default password and keeps an account that may only view persons.

Safe to repeat: the administrator's password is touched only while it is still the vendor's.
"""
# mypy: ignore-errors

import os
from pathlib import Path

from creme.creme_core.auth.entity_credentials import EntityCredentials
from creme.creme_core.models import CremeUser, SetCredentials, UserRole
from creme.persons import get_contact_model, get_organisation_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

SECRETS = Path(os.environ["CRM_SECRETS"])


def replace_default_password():
    """The vendor creates root with the password root."""
    root = CremeUser.objects.get(username="root")
    if root.check_password("root"):
        root.set_password((SECRETS / "admin_password").read_text().strip())
        root.save()
    if CremeUser.objects.get(username="root").check_password("root"):
        raise SystemExit("the default password of root is still in use")


def keep_monitor_role():
    """Sees persons, and can neither create, change nor export anything."""
    role, _ = UserRole.objects.get_or_create(name="Monitoring (may only view persons)")
    role.allowed_apps = ["persons"]
    role.admin_4_apps = []
    role.creatable_ctypes.clear()
    role.exportable_ctypes.clear()
    role.save()
    if hasattr(role, "listable_ctypes"):  # since 2.8, seeing records and listing them are separate rights
        models = (get_contact_model(), get_organisation_model())
        role.listable_ctypes.set([ContentType.objects.get_for_model(model) for model in models])
    role.credentials.all().delete()
    SetCredentials.objects.create(role=role, value=EntityCredentials.VIEW, set_type=SetCredentials.ESET_ALL)
    return role


def keep_monitor_account(role):
    """The account that the deep probe logs in with."""
    monitor = CremeUser.objects.filter(username="appliance-monitor").first() or CremeUser(
        username="appliance-monitor", first_name="Appliance", last_name="Monitor", email="monitor@appliance.invalid"
    )
    monitor.role, monitor.is_superuser, monitor.is_staff, monitor.is_active = role, False, False, True
    monitor.set_password((SECRETS / "monitor_password").read_text().strip())
    monitor.save()
    if hasattr(monitor, "roles"):  # a user may hold several roles since 2.8
        monitor.roles.set([role])


with transaction.atomic():  # a failure halfway leaves the accounts as they were
    replace_default_password()
    keep_monitor_account(keep_monitor_role())
print("accounts ready")
