"""Fed to `python -m crmsite -`, on copies only: creates a party, reads it back, deletes it.

Proves that code and database fit together for writing, which nothing that is only read can prove.
"""
# mypy: ignore-errors

from crmsite import NAME
from trytond.pool import Pool
from trytond.transaction import Transaction

Pool.start()
pool = Pool(NAME)
with Transaction().start(NAME, 0, readonly=True):
    pool.init()
with Transaction().start(NAME, 1):
    parties = pool.get("party.party")
    (written,) = parties.create([{"name": "Write Probe"}])
    found = parties.search([("name", "=", "Write Probe")])
    if [party.id for party in found] != [written.id]:
        raise SystemExit("the party read back differs from the party written")
    parties.delete(found)
    if parties.search([("name", "=", "Write Probe")]):
        raise SystemExit("the party could not be deleted")
print("write ok")
