"""Make room for an instance on its host, and take it away again."""

from appliance.domain.instance import Deployment, Instance
from appliance.operations.certifying import certificate_secrets, certificate_variables
from appliance.operations.run import Run
from appliance.operations.steps.certificates import note_issued
from appliance.operations.steps.subject import new, product, stops, subject, told
from appliance.operations.variables import host_variables
from appliance.operations.workflow import StepDefinition


def prepare_host(run: Run) -> str:
    """Install the Debian packages that instances and this product need."""
    packages = product(run).runtime.apt
    recap = run.playbook("host_prepare", {"host": host_variables(run.machine.layout), "product_packages": list(packages)})
    return "nothing was missing" if recap.changed == 0 else "packages were installed"


def create_instance(run: Run) -> None:
    """User, directories, secrets, database cluster, web address with its certificate."""
    instance = subject(run)
    secrets = run.appliance.store.vault.all(secret_scope(run, instance))
    with run.secret_files(secrets | certificate_secrets(run.appliance, instance)) as files:
        secret_files = {name: files[name] for name in secrets}
        run.playbook("instance_create", told(run, secret_files=secret_files, **certificate_variables(run.appliance, files)))
    note_issued(run, instance)


def remove_instance(run: Run) -> None:
    """Leave nothing of the instance on its host."""
    instance = run.appliance.store.instances.find(run.memory.get("subject", run.operation.instance))
    if instance is not None and run.memory.get("new"):
        run.playbook("instance_remove", told(run))


def secret_scope(run: Run, instance: Instance) -> str:
    """Where the secrets of an instance are kept: a scratch copy uses those of its source."""
    return str(run.memory.get("secrets_of", instance.name))


def build_release(run: Run) -> str:
    """Build the release, and those on the way to it, beside the one that serves; one that is there already is left as it is."""
    built = [_build(run, deployment) for deployment in (*stops(run), new(run))]
    return "; ".join(built)


def _build(run: Run, deployment: Deployment) -> str:
    recap = run.playbook("release_build", told(run, deployment))
    return f"{deployment.version} was there already" if recap.changed == 0 else f"{deployment.version} was built"


HOST = StepDefinition(name="host", title="Prepare the host", run=prepare_host)
INSTANCE = StepDefinition(name="instance", title="Create user, directories and database cluster", run=create_instance, undo=remove_instance)
RELEASE = StepDefinition(name="release", title="Build the release", run=build_release)
