# Fed to "creme shell". Replaces the vendor's default password and keeps an account that may only view persons.
def prepare_accounts():
    """Safe to repeat: the administrator's password is touched only while it is still the vendor's."""
    import os
    from pathlib import Path

    from creme.creme_core.auth.entity_credentials import EntityCredentials
    from creme.creme_core.models import CremeUser, SetCredentials, UserRole

    secrets = Path(os.environ["CRM_SECRETS"])
    root = CremeUser.objects.get(username="root")
    if root.check_password("root"):
        root.set_password((secrets / "admin_password").read_text().strip())
        root.save()

    role, _ = UserRole.objects.get_or_create(name="Monitoring (may only view persons)")
    role.allowed_apps = ["persons"]
    role.admin_4_apps = []
    role.creatable_ctypes.clear()
    role.exportable_ctypes.clear()
    role.save()
    role.credentials.all().delete()
    SetCredentials.objects.create(role=role, value=EntityCredentials.VIEW, set_type=SetCredentials.ESET_ALL)

    monitor = CremeUser.objects.filter(username="appliance-monitor").first() or CremeUser(
        username="appliance-monitor", first_name="Appliance", last_name="Monitor", email="monitor@appliance.invalid"
    )
    monitor.role, monitor.is_superuser, monitor.is_staff, monitor.is_active = role, False, False, True
    monitor.set_password((secrets / "monitor_password").read_text().strip())
    monitor.save()
    if hasattr(monitor, "roles"):  # a user may hold several roles since 2.8
        monitor.roles.set([role])

    if CremeUser.objects.get(username="root").check_password("root"):
        raise SystemExit("the default password of root is still in use")


def in_one_transaction():
    """A failure halfway leaves the accounts as they were."""
    from django.db import transaction

    with transaction.atomic():
        prepare_accounts()
    print("accounts ready")


in_one_transaction()
