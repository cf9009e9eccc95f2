# Fed to "creme shell". Replaces the vendor's default password and keeps an account that may only view persons.
def prepare_accounts():
    """Safe to repeat: the administrator's password is touched only while it is still the vendor's."""
    import os
    from pathlib import Path

    from creme.creme_core.models import CremeUser, SetCredentials, UserRole

    secrets = Path(os.environ["CRM_SECRETS"])
    root = CremeUser.objects.get(username="root")
    if root.check_password("root"):
        root.set_password((secrets / "admin_password").read_text().strip())
        root.save()

    role, _ = UserRole.objects.get_or_create(name="Monitoring (view persons)")
    role.allowed_apps = ["persons"]
    role.admin_4_apps = []
    role.creatable_ctypes.clear()
    role.exportable_ctypes.clear()
    role.save()
    role.credentials.all().delete()
    SetCredentials.objects.create(role=role, value=SetCredentials.VIEW, set_type=SetCredentials.ESET_ALL)

    monitor = CremeUser.objects.filter(username="appliance-monitor").first()
    if monitor is None:
        monitor = CremeUser(
            username="appliance-monitor", first_name="Appliance", last_name="Monitor", email="appliance-monitor@localhost.invalid"
        )
    monitor.role = role
    monitor.is_superuser = False
    monitor.is_staff = False
    monitor.is_active = True
    monitor.set_password((secrets / "monitor_password").read_text().strip())
    monitor.save()
    if hasattr(monitor, "roles"):  # several roles per user since 2.8
        monitor.roles.set([role])
    if CremeUser.objects.get(username="root").check_password("root"):
        raise SystemExit("the default password of root is still in use")
    print("accounts " + "ready")


prepare_accounts()
