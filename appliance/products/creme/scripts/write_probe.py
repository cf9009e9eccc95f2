# Fed to "creme shell" on scratch copies only. Creates a contact, reads it back, deletes it.
def write_and_read_back():
    """Proves that code and database fit together for writing, which no page that is only read can prove."""
    from creme.creme_core.models import CremeUser
    from creme.persons import get_contact_model

    contacts = get_contact_model().objects
    user = CremeUser.objects.get(username="root")
    written = contacts.create(user=user, first_name="Write", last_name="Probe", email="write-probe@localhost.invalid")
    read = contacts.get(pk=written.pk)
    if (read.first_name, read.last_name, read.email) != ("Write", "Probe", "write-probe@localhost.invalid"):
        raise SystemExit("the contact read back differs from the contact written")
    read.delete()
    if contacts.filter(pk=written.pk).exists():
        raise SystemExit("the contact could not be deleted")
    print("write " + "ok")


write_and_read_back()
