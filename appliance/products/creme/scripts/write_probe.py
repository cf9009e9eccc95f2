"""Fed to `creme shell`, on copies only: creates a contact, reads it back, deletes it.

Proves that code and database fit together for writing, which no page that is only read can prove.
"""
# mypy: ignore-errors

from creme.creme_core.models import CremeUser
from creme.persons import get_contact_model

PROBE = {"first_name": "Write", "last_name": "Probe", "email": "write-probe@appliance.invalid"}

contacts = get_contact_model().objects
written = contacts.create(user=CremeUser.objects.get(username="root"), **PROBE)
read = contacts.get(pk=written.pk)
if any(getattr(read, field) != value for field, value in PROBE.items()):
    raise SystemExit("the contact read back differs from the contact written")
read.delete()
if contacts.filter(pk=written.pk).exists():
    raise SystemExit("the contact could not be deleted")
print("write ok")
