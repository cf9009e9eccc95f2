"""Definitions are found, checked whole, and never used with a lock file that was changed."""

import ast
import re
import resource
import shutil
from pathlib import Path

import pytest

from appliance.errors import ConfigurationError, NotFound
from appliance.products.builds import build_of
from appliance.products.catalogue import SHIPPED, check, load, open_catalogue


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An administrator's own directory with a definition of the shipped product under another id."""
    directory = tmp_path / "definitions" / "mine"
    shutil.copytree(SHIPPED / "creme", directory)
    _replace(directory, "id: creme\nname: Creme CRM", "id: mine\nname: My CRM")
    return directory


def _replace(directory: Path, old: str, new: str) -> None:
    file = directory / "product.yml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_every_shipped_definition_has_no_problem() -> None:
    assert [problem for path in sorted(SHIPPED.glob("*/product.yml")) for problem in check(path)] == []


def test_a_definition_that_was_changed_is_read_again(own: Path) -> None:
    catalogue = open_catalogue(own.parent)
    before = catalogue.entry("mine")
    _replace(own, "name: My CRM", "name: Her CRM")
    (own / "locks" / "2.8.6.txt").unlink()
    after = catalogue.entry("mine")
    assert [one.product.definition.name if one.product else "" for one in (before, after)] == ["My CRM", "Her CRM"]
    assert (len(before.problems), "is missing" in after.problems[0]) == (0, True)


def test_a_definition_that_could_not_be_read_is_read_when_it_can_be(own: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))  # as where every file that a process may have is open
    try:
        with pytest.raises(ConfigurationError, match="it cannot be read"):
            load(own / "product.yml")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert load(own / "product.yml").definition.name == "My CRM"


def test_own_definitions_stand_beside_the_shipped_ones(own: Path) -> None:
    catalogue = open_catalogue(own.parent)

    assert {product.definition.id for product in catalogue.list()} == {"creme", "mine", "tryton"}
    assert catalogue.get("mine").directory == own


def test_an_own_definition_takes_the_place_of_a_shipped_one(own: Path) -> None:
    _replace(own, "id: mine", "id: creme")
    own.rename(own.with_name("creme"))

    assert open_catalogue(own.parent).get("creme").definition.name == "My CRM"


def test_an_unknown_product_is_not_found_and_the_known_ones_are_named() -> None:
    with pytest.raises(NotFound, match="There is no product 'siebel'; there are: creme"):
        open_catalogue().get("siebel")


def test_a_broken_definition_does_not_hide_the_others(own: Path) -> None:
    (own / "product.yml").write_text("id: mine")
    catalogue = open_catalogue(own.parent)

    assert catalogue.get("creme").definition.id == "creme"
    assert [product.definition.id for product in catalogue.list()] == ["creme", "tryton"]
    told = {entry.id: (entry.product is None, entry.is_own, entry.problems[:1]) for entry in catalogue.entries()}
    assert told == {"creme": (False, False, ()), "tryton": (False, False, ()), "mine": (True, True, ("name: Field required",))}


def test_one_definition_is_told_with_every_problem_of_its_files(own: Path) -> None:
    (own / "locks" / "2.8.6.txt").unlink()
    entry = open_catalogue(own.parent).entry("mine")

    assert entry.product is not None
    assert [problem.count("2.8.6.txt of release 2.8.6 is missing") for problem in entry.problems] == [1]


def test_support_that_ends_is_told_of_series_that_are_there(own: Path) -> None:
    _replace(own, "default_release:", 'support_ends: {"2.7": 2027-01-31, "3.0": 2029-01-31}\ndefault_release:')

    assert check(own) == [f"{own / 'product.yml'}: support_ends: no release belongs to series 3.0"]


def test_the_lock_of_a_release_is_handed_out_when_its_hash_is_right() -> None:
    assert open_catalogue().get("creme").lock_of("2.8.6").name == "2.8.6.txt"


def test_a_lock_with_a_wrong_hash_is_refused(own: Path) -> None:
    with (own / "locks" / "2.8.6.txt").open("a") as lock:
        lock.write("left-pad==1.0\n")

    with pytest.raises(ConfigurationError, match=r"2\.8\.6\.txt of release 2\.8\.6 has a wrong hash.*Nothing was changed"):
        load(own / "product.yml").lock_of("2.8.6")


def test_a_missing_lock_is_refused(own: Path) -> None:
    (own / "locks" / "2.8.6.txt").unlink()

    with pytest.raises(ConfigurationError, match="is missing"):
        load(own / "product.yml").lock_of("2.8.6")


def test_loading_names_the_file_and_every_wrong_field(own: Path) -> None:
    _replace(own, "class: wheel", "class: rubber")
    _replace(own, "length: 64", "length: many")

    with pytest.raises(ConfigurationError) as refusal:
        load(own / "product.yml")

    assert all(told in str(refusal.value) for told in (str(own / "product.yml"), "class:", "secrets.0.length:"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("engine: postgresql", "engine: mariadb", "database.engine: this version carries out only postgresql, not mariadb"),
        ("title: Create the tables", "title: Create the tables\n    user: root", "install: migrate: user root: this version does not"),
    ],
)
def test_what_would_be_ignored_is_refused(own: Path, old: str, new: str, told: str) -> None:
    _replace(own, old, new)

    with pytest.raises(ConfigurationError) as refusal:
        load(own / "product.yml")

    assert told in str(refusal.value)


def test_checking_reports_every_missing_file_and_every_wrong_hash(own: Path) -> None:
    (own / "scripts" / "accounts.py").unlink()
    (own / "templates" / "settings.py.j2").unlink()
    (own / "locks" / "2.7.txt").write_text("")

    problems = check(own)

    assert len(problems) == 3
    assert [word for word, problem in zip(("accounts.py", "settings.py.j2", "wrong hash"), problems, strict=True) if word in problem]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{{ deployment.port }}", "{{ deployment.prot }}", "services.0.command: 'dict object' has no attribute 'prot'"),
        ("{{ crm.name }}", "{{ instance.name }}", "environment.CRM_NAME: 'instance' is undefined; known are crm.*"),
        ("{{ crm.name }}", "{{ crm.name", "environment.CRM_NAME: the placeholder is not complete"),
        ("generatemedia", "generatemedia {{ deployment.id }}", "prebuild.0.command: 'deployment' is undefined"),
        ("generatemedia", "generatemedia {{ settings.language }}", "prebuild.0.command: 'settings' is undefined"),
    ],
)
def test_checking_tries_out_every_placeholder(own: Path, old: str, new: str, told: str) -> None:
    _replace(own, old, new)

    assert any(told in problem for problem in check(own))


def test_what_is_rendered_into_a_release_depends_on_no_setting(own: Path) -> None:
    template = own.parent / "templates" / "wsgi.py.j2" if own.is_file() else own / "templates" / "wsgi.py.j2"
    template.write_text("language = '{{ settings.language }}'")

    assert [problem.partition(": ")[2] for problem in check(own)] == [
        "config.1: templates/wsgi.py.j2: a release has no settings; use scope 'deployment', or the environment"
    ]


@pytest.mark.parametrize(
    ("content", "told"), [("a: [", "is no YAML"), ("just text", "holds no fields"), (None, "cannot be read (No such file or directory)")]
)
def test_a_file_that_is_no_definition_is_named(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "product.yml").write_text(content)

    assert [told in problem for problem in check(tmp_path)] == [True]


def test_the_id_is_the_name_of_the_directory(own: Path) -> None:
    moved = own.rename(own.with_name("other"))

    assert "id: 'mine' is not the name of its directory, 'other'" in check(moved)[0]


def test_no_program_names_a_product() -> None:
    products = {path.parent.name for path in SHIPPED.glob("*/product.yml")}
    named = re.compile(rf"\b({'|'.join(products)})\b", re.IGNORECASE)
    programs = [path for path in SHIPPED.parent.rglob("*.py") if not products & set(path.relative_to(SHIPPED.parent).parts)]

    assert [path.name for path in programs if named.search(_without_docstrings(path))] == []


def _without_docstrings(path: Path) -> str:
    """What runs; the explanation of a figure may say where it was measured."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    return ast.unparse(tree)


@pytest.fixture
def with_node(tmp_path: Path) -> Path:
    """A definition whose releases take packages from npm."""
    return Path(shutil.copytree(SHIPPED / "tryton", tmp_path / "definitions" / "tryton"))


@pytest.mark.parametrize("name", ["node/8.0/package-lock.json", "locks/node.txt"])
def test_a_lock_of_npm_with_a_wrong_hash_is_refused(with_node: Path, name: str) -> None:
    with (with_node / name).open("a") as lock:
        lock.write(" ")

    with pytest.raises(ConfigurationError, match=r"of release 8\.0\.12 has a wrong hash"):
        load(with_node / "product.yml").lock_of("8.0.12")


@pytest.mark.parametrize("name", ["node/7.0/package.json", "scripts/web_client.py"])
def test_another_file_to_build_from_makes_another_build(with_node: Path, name: str) -> None:
    before = [build_of(load(with_node / "product.yml"), version) for version in ("7.0.59", "8.0.12")]
    with (with_node / name).open("a") as file:
        file.write("\n")

    after = [build_of(load(with_node / "product.yml"), version) for version in ("7.0.59", "8.0.12")]

    assert after[0] != before[0]
    assert (after[1] != before[1]) == ("scripts" in name)


def test_packages_of_npm_need_something_that_brings_npm(with_node: Path) -> None:
    text = (with_node / "product.yml").read_text()
    (with_node / "product.yml").write_text(re.sub(r"(?m)^build_tools: .*$", "", text))

    assert "has 'node', and no 'build_tools' bring npm" in check(with_node)[0]


def test_checking_looks_at_the_probes_of_single_releases(with_node: Path) -> None:
    _replace(with_node, 'equals: "{{ release.version }}"', 'equals: "{{ release.number }}"')

    assert "releases: 7.0.58: probes.version_code.equals: 'dict object' has no attribute 'number'" in check(with_node)[0]
