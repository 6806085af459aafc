"""What DVC shows and keeps of the files that the stages leave in metrics/, by the declarations of
dvc.yaml and the files of a run: DVC itself is run, on a stage that copies them. And what it does
with a damaged cache, and where it keeps its own."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo
from dvc.utils.serialize import load_yaml

from ecgpipe.project import digests
from tests.fixtures.small_project import ROOT, SIMULATED

COPY = "import pathlib, shutil; shutil.copytree('made/metrics', 'metrics', dirs_exist_ok=True)"
COUNT = "pathlib.Path('ran').open('a').write('x')"
# Another param leaves other bytes, of the same meaning.
CHANGE = (
    "pathlib.Path('metrics/labels.json').open('a').write(' ' * len(open('params.yaml').read()))"
)


def declared() -> dict[str, list]:
    """The files below metrics/ that dvc.yaml declares, as metrics or as plots, all sources'."""
    found = {"metrics": [], "plots": []}
    for stage in load_yaml(ROOT / "dvc.yaml")["stages"].values():
        body = stage.get("do", stage)
        for kind, entries in found.items():
            for entry in body.get(kind, []):
                ((path, settings),) = entry.items()
                if path.startswith("metrics/"):
                    names = SIMULATED if "${item}" in path else [""]
                    entries += [{path.replace("${item}", name): settings} for name in names]
    return found


def run(*command: str) -> str:
    """What a command says, on either stream, that ends well."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def dvc(*arguments: str) -> str:
    return run(sys.executable, "-m", "dvc", *arguments)


@pytest.fixture(scope="module")
def repository(whole, tmp_path_factory):
    """A repository of Git and DVC in which the copying stage ran once, committed."""
    folder = tmp_path_factory.mktemp("dvc")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for key in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{key}_NAME", "a")
            patch.setenv(f"GIT_{key}_EMAIL", "a@b")
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
        shutil.copytree(whole / "metrics", "made/metrics")
        Path("copying.py").write_text("; ".join([COPY, COUNT, CHANGE]))
        Path(".gitignore").write_text("ran\nsite\n")
        Path("params.yaml").write_text("a: 1\n")
        stage = {
            "cmd": f"{sys.executable} copying.py",
            "deps": ["copying.py", "made"],
            "params": ["a"],
        }
        Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"copy": stage | declared()}}))
        run("git", "init", "-q")
        dvc("init", "-q")
        dvc("repro", "-q")
        run("git", "add", "-A")
        run("git", "commit", "-qm", "one")
        yield folder


@pytest.fixture
def inside(repository, monkeypatch):
    monkeypatch.chdir(repository)
    return repository


def test_the_summary_alone_is_a_metric_and_short_enough_to_read(inside):
    shown = json.loads(dvc("metrics", "show", "--json"))[""]["data"]
    assert list(shown) == ["metrics/summary.json"]
    assert len(dvc("metrics", "show", "--md").splitlines()[-1]) < 1000
    experiments = dvc("exp", "show", "--csv")
    heads, values = (line.split(",") for line in experiments.splitlines()[:2])
    assert "test_ensemble.auroc_macro" in heads and "test.auroc_macro_sd" in heads
    assert len(heads) < 45
    assert values[heads.index("counts.recordings")] != ""
    assert "metrics/classes" not in experiments


def test_what_is_no_metric_is_neither_drawn_nor_complained_of(inside):
    said = dvc("plots", "show")
    assert "WARNING" not in said and "ERROR" not in said, said
    assert "metrics/" not in Path("dvc_plots/index.html").read_text(encoding="utf-8")


def test_a_run_in_the_cache_is_brought_back_without_running_again(inside):
    files = [path for path in Path("metrics").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert len(files) > 8
    Path("params.yaml").write_text("a: 22\n")
    dvc("repro")
    assert Path("metrics/labels.json").read_bytes() != before[Path("metrics/labels.json")]
    Path("params.yaml").write_text("a: 1\n")
    shutil.rmtree("metrics")
    assert "is cached - skipping run" in dvc("repro")
    assert Path("ran").read_text() == "xx", "once for each value of the param"
    assert {path: path.read_bytes() for path in before} == before
    assert run("git", "status", "--porcelain", "metrics") == "", "what Git keeps"


def test_the_hint_of_a_damaged_file_brings_back_a_good_one_where_the_cache_is_damaged(
    repository, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    script = "from tests.fixtures.sealed import write_sealed_text; "
    script += "import pathlib; write_sealed_text('good' * 99, pathlib.Path('out/a.txt'))"
    Path("make.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r}); {script}")
    stage = {"cmd": f"{sys.executable} make.py", "deps": ["make.py"], "outs": ["out"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"make": stage}}))
    dvc("init", "-q", "--no-scm")
    dvc("repro", "-q")
    good = Path("out/a.txt").read_bytes()
    name = hashlib.md5(good, usedforsecurity=False).hexdigest()
    kept = Path(".dvc/cache/files/md5") / name[:2] / name[2:]
    kept.chmod(0o644)
    kept.write_bytes(b"f" + good[1:])
    kept.chmod(0o444)
    shutil.rmtree("out")
    dvc("checkout", "--force")
    with pytest.raises(
        ValueError, match=r"^out/a\.txt: damaged or changed: .*; remove its"
    ) as told:
        digests.read_verified(Path("out/a.txt"))
    shutil.rmtree("out")
    commands = re.findall("`(.*?)`", str(told.value))
    assert len(commands) == 2
    for command in commands:
        words = command.split()
        dvc(*words[1:]) if words[0] == "dvc" else run(*words)
    assert digests.read_verified(Path("out/a.txt")) == good == kept.read_bytes()


def test_pretrain_runs_when_it_is_forced_and_at_no_other_time(tmp_path, monkeypatch):
    """The stage as dvc.yaml has it, its command replaced by one that counts, and one after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    stage = load_yaml(ROOT / "dvc.yaml")["stages"]["pretrain"]
    made = "ls -d data/*/ >> there; mkdir -p data/pretrained; echo x >> ran; cp ran data/pretrained"
    stages = {"pretrain": stage | {"cmd": made}}
    stages["train"] = {"cmd": "echo y > model", "deps": ["data/pretrained"], "outs": ["model"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    Path("data").mkdir()
    Path("params.yaml").write_text("pretrain: {seed: 1}\n")
    with Repo.init(no_scm=True) as repo:
        assert len(repo.reproduce()) == 2
        Path("params.yaml").write_text("pretrain: {seed: 2}\n")
        assert repo.reproduce() == []
        # As messages recommend it for any other stage (`project.remedies`).
        assert len(repo.reproduce(["train"], force=True, single_item=True)) == 1
        assert Path("ran").read_text() == "x\n"
        assert len(repo.reproduce(["pretrain"], force=True)) == 1
    assert Path("ran").read_text() == "x\nx\n"
    assert Path("there").read_text() == "data/pretrained/\n", "until the new one is made"


@pytest.mark.parametrize("below", [".", "stages"])
def test_dvc_keeps_its_pickles_in_the_project_where_no_other_user_may_write(
    tmp_path, monkeypatch, below
):
    """By the project's own settings, as Git has them."""
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    kept = [".dvc/config", ".dvc/.gitignore", ".dvc-site/repo/.gitkeep", ".gitignore", ".dvcignore"]
    for name in [*kept, "dvc.yaml", "params.yaml", "configs/sources.yaml", "stages/split.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path / below)
    run("git", "init", "-q", str(tmp_path))
    run("git", "add", "--all", str(tmp_path))
    assert set(kept) <= set(run("git", "-C", str(tmp_path), "ls-files").splitlines())
    dvc("status", "split" if below == "." else "../dvc.yaml:split")
    assert "Repo.site_cache_dir: .dvc-site/repo/" in dvc("version")
    assert len(list(Path(".dvc-site/repo").glob("*/**/cache.db"))) >= 2
    changes = run("git", "status", "--short", "--untracked-files=all").splitlines()
    assert [line for line in changes if line.startswith("??")] == []
    if below == ".":
        written = [Path(".dvc-site"), *Path(".dvc-site").rglob("*")]
        assert [path for path in written if path.stat().st_mode & 0o002] == []
    with Repo(str(tmp_path)) as repo:
        assert repo.dvcignore.is_ignored_dir(str(Path.cwd() / ".dvc-site"))


def test_an_experiment_in_a_folder_of_its_own_runs_with_the_line_that_the_page_gives(
    repository, tmp_path, monkeypatch
):
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in (".dvc/config", ".dvc/.gitignore", ".dvc-site/repo/.gitkeep", ".gitignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    Path("params.yaml").write_text("a: 1\n")
    stage = {"cmd": "cp params.yaml out.json", "params": ["a"]}
    stage["metrics"] = [{"out.json": {"cache": False}}]
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"make": stage}}))
    run("git", "init", "-q")
    run("git", "add", "-A")
    run("git", "commit", "-qm", "one")
    (line,) = re.findall(r"`(dvc config --local [^`]*)`", (ROOT / "stages/README.md").read_text())
    folder = Path(sys.executable).parent
    run("bash", "-c", f'PATH="{folder}:$PATH"; {line}')
    assert "Ran experiment" in dvc("exp", "run", "--temp", "-S", "a=2")
    assert [path for path in Path(".dvc-site").rglob("*") if path.stat().st_mode & 0o002] == []
