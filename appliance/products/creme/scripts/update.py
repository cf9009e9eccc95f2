"""Fed to `creme shell`: both commands of an update in one process, since visitors wait while Creme is imported, which takes seconds.

Django makes millions of objects that live as long as a migration does. Python looks through them for unused cycles again and again, by
default after every 700 new ones; a twentieth of the time went into that.
"""
# mypy: ignore-errors

import gc

from django.core.management import call_command

gc.set_threshold(100_000, 50, 50)
call_command("migrate", interactive=False)
call_command("creme_populate")
