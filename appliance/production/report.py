"""What `appliance up --production` says at its end."""

from appliance.config import Settings
from appliance.setup.main_job import ADMINISTRATOR


def lines(settings: Settings, *, done: list[str], password: str | None) -> list[str]:
    """The closing lines; `password` is the one-time password if it was made now."""
    said = ["", "Done: " + ", ".join(done) + "." if done else "Nothing to do: everything is installed and runs."]
    said.append(f"  Panel              https://{settings.panel_domain}/")
    if password is not None:
        said += [f"  Administrator      {ADMINISTRATOR}", f"  One-time password  {password}   (the panel asks for a new one)"]
    return [
        *said,
        "",
        "Next, as root:",
        "  appliance ca show                          the authority that your browser has to trust, unless you bring a certificate:",
        "  appliance panel certificate --certificate FILE --key FILE",
        "  appliance host key                         this line goes into ~/.ssh/authorized_keys of the machines that CRMs are to run on",
        "  appliance host add crm1 --address ADDRESS  also for this machine: --address 127.0.0.1",
        "  appliance host prepare crm1",
        "  appliance install PRODUCT --name crm --host crm1 --set domain=crm.example.org",
        "  appliance self-backup FILE                 keep it elsewhere: it opens everything",
    ]
