"""Fed to `creme shell`: a sales team with two users, one of whom changes three contacts; another team in which nobody does anything.

Uses the vendor's own models, so that the history is written as when people do it. Prints `worked`.
"""
# mypy: ignore-errors

from creme.creme_core.global_info import set_global_info
from creme.creme_core.models import CremeUser
from creme.persons import get_contact_model


def keep_user(name):
    return CremeUser.objects.filter(username=name).first() or CremeUser.objects.create_user(
        username=name, first_name=name.title(), last_name="Example", email=f"{name}@example.org", password="no-Matter-1"
    )


def keep_team(name, *mates):
    team = CremeUser.objects.filter(username=name).first() or CremeUser.objects.create(username=name, is_team=True)
    team.teammates = list(mates)


alice, bob = keep_user("alice"), keep_user("bob")
keep_team("Sales", alice, bob)
keep_team("Support", keep_user("carol"))
set_global_info(user=alice)
for contact in get_contact_model().objects.filter(last_name__startswith="O'Brien")[:3]:
    contact.description = f"{contact.description}Called."
    contact.save()
print("worked")
