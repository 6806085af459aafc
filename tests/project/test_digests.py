"""Digests against sha256sum's form; damaged, cut and unsealed files are refused."""

import subprocess

import pytest

from ecgpipe.project import atomic, digests
from tests.project.test_atomic import names

pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.parametrize("sealed", ["file", "folder"])
def test_every_flipped_bit_and_every_cut_of_a_file_or_its_digest_is_refused_by_name(
    project, sealed
):
    path = project / ("table.csv" if sealed == "file" else "store/table.csv")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"record\n1\n")
    digests.write_digests(path if sealed == "file" else path.parent)
    note = path.with_name("table.csv.sha256" if sealed == "file" else digests.SUMS)
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


def test_a_file_without_a_digest_is_refused_where_one_is_required_and_a_folder_lists_every_file(
    project,
):
    (project / "table.csv").write_text("made elsewhere")
    assert digests.read_verified(project / "table.csv") == b"made elsewhere"
    with pytest.raises(
        ValueError, match=r"table.csv: no digest beside it, neither table.csv.sha256 nor SHA256SUMS"
    ):
        digests.read_verified(project / "table.csv", required=True)
    digests.write_digests(project)
    (project / "late.csv").touch()
    with pytest.raises(
        ValueError, match=r"SHA256SUMS: it is damaged, or lacks the digest of late.csv"
    ):
        digests.read_verified(project / "late.csv")


def test_digests_are_written_as_sha256sum_checks_them(project):
    with atomic.atomic(project / "labels.csv", sealed=True) as temporary:
        temporary.write_text("a,b")
    with atomic.atomic(project / "model", sealed=True) as temporary:
        temporary.mkdir()
        for name in ("model.json", "a b.bin"):
            (temporary / name).write_text(name)
    assert names(project) == ["labels.csv", "labels.csv.sha256", "model"]
    for folder, sums in ((project, "labels.csv.sha256"), (project / "model", "SHA256SUMS")):
        done = subprocess.run(
            ["sha256sum", "--strict", "-c", sums], cwd=folder, capture_output=True, check=True
        )
        assert b"OK" in done.stdout
    assert digests.read_verified(project / "labels.csv", required=True) == b"a,b"
    assert digests.read_verified(project / "model/a b.bin", required=True) == b"a b.bin"
    digests.verify(project / "model/model.json", required=True)


def test_a_file_written_anew_without_a_digest_keeps_no_stale_one(project):
    for sealed in (True, False):
        with atomic.atomic(project / "table.csv", sealed=sealed) as temporary:
            temporary.write_text(str(sealed))
    assert names(project) == ["table.csv"]
    assert digests.read_verified(project / "table.csv") == b"False"
