"""Digests against sha256sum's form; damaged, cut and unsealed files are refused."""

import subprocess

import pytest

from ecgpipe.project import atomic, digests
from ecgpipe.project.errors import UserError

pytestmark = pytest.mark.usefixtures("project")


def test_every_flipped_bit_and_every_cut_of_a_file_or_its_digest_is_refused_by_name(project):
    path = project / "store/table.csv"
    path.parent.mkdir()
    path.write_bytes(b"record\n1\n")
    digests.write_digests(path.parent)
    note = path.with_name(digests.SUMS)
    for victim in (path, note):
        whole = victim.read_bytes()
        broken = [whole[:length] for length in range(len(whole))]
        broken += [
            whole[:k] + bytes([whole[k] ^ (1 << bit)]) + whole[k + 1 :]
            for k in range(len(whole))
            for bit in range(8)
        ]
        for content in broken:
            victim.write_bytes(content)
            with pytest.raises(ValueError, match="damaged"):
                digests.read_verified(path)
        with pytest.raises(ValueError, match="damaged"):
            digests.verify(path)
        victim.write_bytes(whole)
    assert digests.read_verified(path) == b"record\n1\n"


def test_a_file_without_a_digest_is_refused_and_a_folder_lists_every_file(project):
    (project / "table.csv").write_text("made elsewhere")
    missing = r"table.csv: no digest beside it in SHA256SUMS; remove its folder, then"
    for read in (digests.read_verified, digests.verify):
        with pytest.raises(UserError, match=missing):
            read(project / "table.csv")
    digests.write_digests(project)
    (project / "late.csv").touch()
    lacking = r"SHA256SUMS: it is damaged, or lacks the digest of late.csv"
    with pytest.raises(UserError, match=lacking):
        digests.read_verified(project / "late.csv")


def test_digests_are_written_as_sha256sum_checks_them(project):
    with atomic.sealed_folder(project / "model") as folder:
        for name in ("model.json", "a b.bin"):
            (folder / name).write_text(name)
    command = ["sha256sum", "--strict", "-c", digests.SUMS]
    done = subprocess.run(command, cwd=project / "model", capture_output=True, check=True)
    assert done.stdout.count(b"OK") == 2
    assert digests.read_verified(project / "model/a b.bin") == b"a b.bin"
    digests.verify(project / "model/model.json")


def test_digests_that_are_known_are_taken_as_they_are(project):
    (project / "x").write_text("x")
    digests.write_digests(project, {"x": "0" * 64})
    assert digests.recorded(project / "x") == "0" * 64
