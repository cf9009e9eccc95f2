"""Fed to `creme shell`: both commands of an update in one process, since visitors wait while Creme is imported, which takes seconds."""
# mypy: ignore-errors

from django.core.management import call_command

call_command("migrate", interactive=False)
call_command("creme_populate")
