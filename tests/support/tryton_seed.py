"""Fed to `python -m crmsite -`: a company, sixty parties with telephone numbers, twenty opportunities, and a user who logs in as people do.

Prints `seeded {...}` with the numbers in the database. Uses the vendor's own models.
"""
# mypy: ignore-errors

import json

from crmsite import NAME
from trytond.pool import Pool
from trytond.transaction import Transaction

Pool.start()
pool = Pool(NAME)
with Transaction().start(NAME, 0, readonly=True):
    pool.init()


def keep_company():
    """Opportunities belong to one."""
    companies, currencies = pool.get("company.company"), pool.get("currency.currency")
    if found := companies.search([]):
        return found[0]
    (currency,) = currencies.create([{"name": "Euro", "code": "EUR", "symbol": "€"}])
    (party,) = pool.get("party.party").create([{"name": "Own Company"}])
    return companies.create([{"party": party.id, "currency": currency.id}])[0]


def keep_user(company):
    """Alice, whose password is that of the tests."""
    users = pool.get("res.user")
    if not users.search([("login", "=", "alice")]):
        rights = {"companies": [("add", [company.id])], "company": company.id}
        users.create([{"name": "Alice", "login": "alice", "password": "alice-Tr1es-it", **rights}])


with Transaction().start(NAME, 1) as transaction:
    company = keep_company()
    keep_user(company)
    mechanisms = [("create", [{"type": "phone", "value": "+49 30 1234567"}, {"type": "email", "value": "zoe@example.org"}])]
    parties = pool.get("party.party").create(
        [{"name": f"Zoë O'Brien-{number:03} & Söhne", "contact_mechanisms": mechanisms} for number in range(60)]
    )
    with transaction.set_context(company=company.id):
        wanted = [{"party": party.id, "company": company.id, "amount": 1000, "description": "Ein Angebot"} for party in parties[:20]]
        opportunities = pool.get("sale.opportunity").create(wanted)
    transaction.commit()
print("seeded", json.dumps({"parties": len(parties), "opportunities": len(opportunities)}))
