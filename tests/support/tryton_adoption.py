"""Fed to `python -m crmsite -`: Alice becomes one of the group Sales and saves two parties again, by the vendor's own models."""
# mypy: ignore-errors

from crmsite import NAME
from trytond.pool import Pool
from trytond.transaction import Transaction

Pool.start()
pool = Pool(NAME)
with Transaction().start(NAME, 0, readonly=True):
    pool.init()

with Transaction().start(NAME, 1) as transaction:
    users, groups = pool.get("res.user"), pool.get("res.group")
    (alice,), (sales,) = users.search([("login", "=", "alice")]), groups.search([("name", "=", "Sales")])
    users.write([alice], {"groups": [("add", [sales.id])]})
    alice_id = alice.id
    transaction.commit()
with Transaction().start(NAME, alice_id) as transaction:
    parties = pool.get("party.party")
    for party in parties.search([("name", "like", "Zoë O'Brien-00%")], limit=2):
        parties.write([party], {"name": party.name})
    transaction.commit()
print("worked")
