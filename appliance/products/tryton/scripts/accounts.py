"""Fed to `python -m crmsite -`: keeps the account that may only view parties, then proves that records can be written, and keeps none.

Safe to repeat. It runs after an installation and after each hop, since a new series brings models that the account must not change.
"""
# mypy: ignore-errors

import os
from pathlib import Path

from crmsite import NAME
from trytond.model import fields
from trytond.pool import Pool
from trytond.transaction import Transaction

SECRETS = Path(os.environ["CRM_SECRETS"])
LOGIN, TITLE = "appliance-monitor", "Monitoring (may only view parties)"
Pool.start()
pool = Pool(NAME)
with Transaction().start(NAME, 0, readonly=True):
    pool.init()


def keep_group():
    """For its members every model is closed for changes; who is in no such group is not concerned."""
    groups, accesses, models = pool.get("res.group"), pool.get("ir.model.access"), pool.get("ir.model")
    group, *_ = groups.search([("name", "=", TITLE)]) or groups.create([{"name": TITLE}])
    by_number = isinstance(accesses._fields["model"], fields.Many2One)  # since series 7.2 an access has the model's name
    name = "model" if "model" in models._fields else "name"
    known = {access.model.id if by_number else access.model for access in accesses.search([("group", "=", group.id)])}
    wanted = {model.id if by_number else getattr(model, name): getattr(model, name) for model in models.search([])}
    accesses.create([{"model": key, "group": group.id, **rights(wanted[key])} for key in wanted if key not in known])
    return group


def rights(model):
    """What the account's own log-in needs of `ir` and `res` is read by the server itself."""
    readable = model.startswith("party.") or model.startswith("ir.")
    return {"perm_read": readable, "perm_write": False, "perm_create": False, "perm_delete": False}


def keep_account(group):
    """The deep probe logs in with it. Its password is set once: after a hop, the log-in has to work with a hash from before."""
    users = pool.get("res.user")
    if not users.search([("login", "=", LOGIN)]):
        password = (SECRETS / "monitor_password").read_text().strip()
        users.create([{"name": "Appliance Monitor", "login": LOGIN, "password": password, "groups": [("add", [group.id])]}])


def prove_writing(transaction):
    """Create, read back, and take back: new code on a database that was not brought up to date fails here."""
    parties = pool.get("party.party")
    (written,) = parties.create([{"name": "Write Probe"}])
    read = parties(written.id)
    if read.name != "Write Probe" or not read.code:
        raise SystemExit("the party read back differs from the party written")
    transaction.rollback()


with Transaction().start(NAME, 0, context={"active_test": False}) as transaction:
    keep_account(keep_group())
    transaction.commit()
    prove_writing(transaction)
print("accounts ready")
