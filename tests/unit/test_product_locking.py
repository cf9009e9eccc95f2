"""A lock holds the digests of the files that supported machines install, and of no others."""

from typing import Any

import pytest

from appliance.products.catalogue import SHIPPED
from appliance.products.locking import machines, render


def _package(name: str, *wheels: str, sdist: bool = True, **more: object) -> dict[str, Any]:
    def file(file_name: str) -> dict[str, Any]:
        return {"url": f"https://files.example.org/{file_name}", "hashes": {"sha256": file_name}}

    package: dict[str, Any] = {"name": name, "version": "1.0", "wheels": [file(f"{name}-1.0-{tags}.whl") for tags in wheels], **more}
    return package | ({"sdist": file(f"{name}-1.0.tar.gz")} if sdist else {})


def _digests(*packages: dict[str, Any]) -> set[str]:
    text = render(packages, machines(("3.11", "3.13")), title="test")
    return {line.split("sha256:")[1].removesuffix(" \\") for line in text.splitlines() if "sha256:" in line}


def test_a_wheel_for_every_machine_is_all_that_is_kept() -> None:
    assert _digests(_package("pure", "py3-none-any")) == {"pure-1.0-py3-none-any.whl"}


def test_of_binary_wheels_each_machine_gets_the_one_it_likes_best() -> None:
    wheels = [
        f"cp3{minor}-cp3{minor}-{platform}"
        for minor in (10, 11, 13)
        for platform in ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_aarch64", "win_amd64", "musllinux_1_2_x86_64")
    ]

    assert _digests(_package("fast", *wheels)) == {
        f"fast-1.0-cp3{minor}-cp3{minor}-manylinux_2_28_{machine}.whl" for minor in (11, 13) for machine in ("x86_64", "aarch64")
    }


def test_a_wheel_for_a_newer_glibc_than_debian_12_has_is_left_out() -> None:
    package = _package("new", "cp311-abi3-manylinux_2_39_x86_64", "cp311-abi3-manylinux_2_39_aarch64")

    assert _digests(package) == {"new-1.0.tar.gz"}


def test_where_a_wheel_is_missing_the_source_is_kept() -> None:
    assert _digests(_package("source")) == {"source-1.0.tar.gz"}


def test_what_only_other_systems_need_is_left_out() -> None:
    assert _digests(_package("pywin", "py3-none-any", marker="sys_platform == 'win32'")) == set()


def test_what_only_the_first_patch_releases_of_python_need_is_kept() -> None:
    marked = _package("timeout", "py3-none-any", marker="python_full_version < '3.11.3'")

    assert "timeout==1.0 ; python_full_version < '3.11.3' \\\n" in render([marked], machines(), title="test")


def test_a_package_without_any_file_for_a_machine_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"odd 1\.0 has no file for CPython 3\.11 on x86_64"):
        _digests(_package("odd", "cp313-cp313-win_amd64", sdist=False))


def test_shipped_locks_pin_every_package_and_name_no_address() -> None:
    for lock in sorted(SHIPPED.glob("*/locks/*.txt")):
        requirements = lock.read_text().replace(" \\\n", " ").splitlines()[1:]
        assert all("==" in line and "--hash=sha256:" in line and "://" not in line for line in requirements), lock.name
