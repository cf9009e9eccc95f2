"""Fed to `creme shell`: a hundred contacts, organisations and opportunities; prints `seeded {...}` with the numbers in the database.

Uses the vendor's own models, so that history, permissions and search behave as with records that people typed in.
"""
# mypy: ignore-errors

import json

from creme.creme_core.models import CremeUser
from creme.opportunities import get_opportunity_model
from creme.opportunities.models import SalesPhase
from creme.persons import get_contact_model, get_organisation_model

contacts, organisations, opportunities = (
    get_contact_model().objects,
    get_organisation_model().objects,
    get_opportunity_model().objects,
)
user, phase = CremeUser.objects.get(username="root"), SalesPhase.objects.first()
own_company = organisations.filter(is_managed=True).first()
for index in range(100):
    customer = organisations.create(
        user=user, name=f"Société Müller & Söhne {index:03}", email=f"office{index}@example.org", url_site="https://example.org"
    )
    contacts.create(
        user=user, first_name="Zoë", last_name=f"O'Brien-{index:03}", email=f"zoe{index}@example.org", phone=f"+49 30 {index:06}"
    )
    opportunities.create(
        user=user,
        name=f"Opportunity {index:03}",
        sales_phase=phase,
        emitter=own_company,
        target=customer,
        estimated_sales=index * 1000,
    )
print("seeded", json.dumps({"contacts": contacts.count(), "organisations": organisations.count(), "opportunities": opportunities.count()}))
