"""requirements-lock.txt: every package that the requirements bring along, by version and hash."""

import re
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FILES = sorted(path.name for path in ROOT.glob("requirements*.txt") if "lock" not in path.name)


@dataclass
class Locked:
    """One package of the lock: its requirement, its SHA-256 digests, and who asks for it."""

    requirement: Requirement
    digests: list[str] = field(default_factory=list)
    asked_for_by: list[str] = field(default_factory=list)


def direct(file: str) -> dict[str, str]:
    """Name -> version of the pins of one of our files itself."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.split("#")[0]) for line in lines if "==" in line]
    return {canonicalize_name(pin.name): str(pin.specifier).lstrip("=") for pin in pins}


def lock() -> dict[str, Locked]:
    """The lock by package. Every line of it must be understood."""
    packages: dict[str, Locked] = {}
    for line in (ROOT / "requirements-lock.txt").read_text(encoding="utf-8").splitlines()[2:]:
        words = line.strip().removesuffix("\\").strip()
        if not line.startswith(" "):
            package = Locked(Requirement(words))
            packages[canonicalize_name(package.requirement.name)] = package
        elif words.startswith("--hash=sha256:"):
            package.digests.append(words.removeprefix("--hash=sha256:"))
        elif words != "# via":
            asking = re.fullmatch(r"#\s+(?:via )?(-r [\w.-]+|[\w.\[\]-]+)", words)
            assert asking, f"what is {line!r}?"
            package.asked_for_by.append(asking.group(1))
    return packages


def test_every_package_is_locked_to_one_version_by_its_hashes():
    packages = lock()
    assert len(packages) >= 155
    for name, package in packages.items():
        assert re.fullmatch(r"==[^*]+", str(package.requirement.specifier)), name
        assert package.digests, name
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in package.digests), name
        assert package.asked_for_by, name


@pytest.mark.parametrize("file", FILES)
def test_the_lock_is_that_of_the_pins_of_each_file(file):
    asked_for = {
        name: str(package.requirement.specifier).lstrip("=")
        for name, package in lock().items()
        if f"-r {file}" in package.asked_for_by
    }
    assert asked_for == direct(file), "`make lock` writes requirements-lock.txt anew"


def test_what_an_installed_package_needs_is_in_the_lock():
    packages, looked_at = lock(), 0
    for name, package in packages.items():
        for need in needs(name, str(package.requirement.specifier).lstrip("=")):
            locked = packages[canonicalize_name(need.name)].requirement
            assert need.specifier.contains(str(locked.specifier).lstrip("="), prereleases=True), (
                f"{name} needs {need}"
            )
            looked_at += 1
    assert looked_at > 100


def needs(name: str, version: str) -> list[Requirement]:
    """What a package needs here by its own metadata; of another version than that installed
    nothing is known."""
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return []
    if installed.version.partition("+")[0] != version:
        return []
    needed = [Requirement(text) for text in installed.requires or []]
    return [need for need in needed if not need.marker or need.marker.evaluate({"extra": ""})]


def test_the_lock_is_of_no_one_platform():
    """What torch needs on one platform besides, such as CUDA's libraries, says on which."""
    packages = lock()
    assert packages["torch"].requirement.marker is None
    besides = [name for name in packages if name.startswith("nvidia-")]
    assert besides
    for name in besides:
        assert "sys_platform == 'linux'" in str(packages[name].requirement.marker).replace('"', "'")
