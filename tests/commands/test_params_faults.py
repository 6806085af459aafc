import copy
import itertools
import re
from pathlib import Path

import pytest

from ecgpipe.commands.params_faults import catalogue_faults, faults
from ecgpipe.project import params, paths
from ecgpipe.recordings import sources
from tests.fixtures import small_models
from tests.fixtures.small_models import NETWORK

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / params.SOURCES
ENTRIES, _ = sources.read(CATALOGUE)
FILES = [ROOT / "params.yaml", *sorted(set((ROOT / "configs").glob("*.yaml")) - {CATALOGUE})]


def test_there_are_whole_files_to_start_from():
    assert {path.stem for path in FILES} >= {"params", "real", "cinc2021", "star", "upstream"}


def test_the_config_for_real_recordings_starts_from_what_pretrain_makes(monkeypatch):
    monkeypatch.chdir(ROOT)  # where data/pretrained is, which `faults` holds it to
    values = params.load(ROOT / "configs/real.yaml")
    assert values["train"]["start"] == "model"
    assert values["train"]["start_model"] == values["pretrain"]["folder"] == str(paths.PRETRAINED)
    assert values["pretrain"] == params.load(FILES[0])["pretrain"]
    for section in ("preprocess", "model"):
        assert values[section] == values["pretrain"][section]
    for setting in ("window_s", "normalise"):
        assert values["train"][setting] == values["pretrain"]["train"][setting]
    assert faults(values, ENTRIES) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_params_file_is_whole_and_faultless(path):
    assert faults(params.load(path), ENTRIES) == []


def test_the_catalogue_is_faultless_and_holds_no_list():
    entries, problems = sources.read(CATALOGUE)
    assert problems + catalogue_faults(entries) == []
    assert len(entries) > 10
    values = itertools.chain.from_iterable(entry.values() for entry in entries.values())
    assert not [value for value in values if isinstance(value, list)], (
        "dvc exp run -S rewrites them"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_list_is_last_in_its_mapping_and_source_names_suit_a_shell(path):
    values = params.load(path)
    for section, body in values.items():
        assert not isinstance(list(body.values())[-1], list), (
            f"{section}: dvc exp run -S would move comments"
        )
    listed = [
        values["data"]["sources"],
        values["simulate"]["sources"],
        map(str, values["split"]["folds"]),
    ]
    for name in itertools.chain(ENTRIES, *listed):
        assert re.fullmatch(paths.NAME, name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_file_but_the_published_studys_computes_on_padding_for_recordings_of_ten_seconds(path):
    assert params.load(path)["train"]["window_s"] <= 10 or path.stem == "upstream"


def test_all_faults_are_reported_together():
    values = copy.deepcopy(params.load(FILES[0]))
    values["train"]["epochs"] = "many"
    values["data"]["sources"] = ["sim-wset"]
    values["train"]["speed"] = 3
    values["augment"]["triangle_scale"] = 0.5
    del values["split"]
    values["extra"] = {}
    problems = "\n".join(faults(values, ENTRIES))
    for text in (
        "extra: no such section",
        "split: section is missing",
        "data.sources: 'sim-wset' is not in the catalogue",
        "train.epochs: a whole number (found 'many')",
        "train.speed: no such setting; did you mean 'seed'? (found 3)",
        "augment.triangle_scale: above 1 (found 0.5)",
    ):
        assert text in problems


def test_all_faults_of_the_catalogue_are_reported_together():
    entries = copy.deepcopy(ENTRIES)
    entries["georgia"]["form"] = "edf"
    entries["ptb"]["vocabulary"] = "MIMIC"
    entries["ningbo"]["vocabulary"] = "my_labels.csv"
    entries["a;b"] = {"form": "wfdb", "vocabulary": "PTB", "codes": "snomed"}
    problems = catalogue_faults(entries)
    assert len(problems) == 3
    problems = "\n".join(problems)
    for text in (
        "sources.georgia.form: 'wfdb' or 'h5' (found 'edf')",
        "sources.a;b: names of sources go into a shell; 1 to 100 letters, digits, '.', '_', '-'",
    ):
        assert text in problems
    assert re.search(
        r"sources\.ptb\.vocabulary: it is one of CPSC2018, .*, LUDB, .* \(found 'MIMIC'\)", problems
    )
    assert "sources.ningbo" not in problems, (
        "a vocabulary of one's own is looked for when it is read"
    )


def test_contradictions_between_sections_are_found():
    values = copy.deepcopy(params.load(FILES[0]))
    values["data"]["sources"] = ["sim-north", "nowhere"]
    values["split"]["test_sources"] = ["georgia"]
    values["labels"]["classes"] = "all"
    problems = "\n".join(faults(values, ENTRIES))
    assert "data.sources: 'nowhere' is not in the catalogue" in problems
    assert "split.test_sources: 'georgia' is not in data.sources" in problems
    assert "labels.classes: " in problems


def test_institutions_of_unknown_sources_or_tested_in_part_are_found():
    values = copy.deepcopy(params.load(FILES[0]))
    values["data"]["sources"] = ["ptb", "ptb-xl", "georgia"]
    assert faults(values, ENTRIES) == []
    values["split"]["test_sources"] = ["ptb"]
    values["split"]["institutions"].append(["georgia", "nowhere"])
    problems = faults(values, ENTRIES)
    assert len(problems) == 2
    assert problems[0].startswith(
        "split.institutions: 'nowhere' is not in the catalogue of sources (it holds chapman_"
    )
    assert problems[1].startswith(
        "split.test_sources: institution [ptb, ptb-xl] is to be tested whole or not at all"
    )
    values["split"]["institutions"] = [["ptb", 3]]
    assert [fault.split(":")[0] for fault in faults(values, ENTRIES)] == ["split.institutions.0.1"]


def test_frequencies_of_augmentations_that_the_stores_cannot_hold_are_found_before_anything_runs():
    values = copy.deepcopy(params.load(FILES[0]))
    values["augment"] |= {"hum": True, "hum_high_hz": 60, "wander_high_hz": 90}
    values["pretrain"]["augment"] |= {"hum": True, "hum_high_hz": 60}
    assert faults(values, ENTRIES) == [
        "augment.hum_high_hz: it lies below half of preprocess.rate_hz 100 (found 60)",
        "pretrain.augment.hum_high_hz: it lies below half of pretrain.preprocess.rate_hz 100 "
        "(found 60)",
    ]
    values["augment"]["wander"] = True
    values["augment"] |= {"multiply_sine": True, "multiply_sine_frequency_hz": 50}
    assert len(faults(values, ENTRIES)) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"preprocess": {"high_hz": 4000}},
            "preprocess: low_hz < high_hz < rate_hz / 2 must hold: 0.5, 4000.0, 100.0",
        ),
        (
            {"augment": {"linear_resample_low": 2}},
            "augment: linear_resample_low 2.0 is above linear_resample_high 1.2",
        ),
        (
            {"split": {"test_sources": ["sim-north", "sim-east", "sim-south", "sim-west"]}},
            "split.test_sources: with split.train_sources it names all of data.sources, "
            "which leaves no fold",
        ),
        (
            {"split": {"protocol": "source", "institutions": []}, "data": "one alone"},
            "split.protocol: 'source' needs 2 institutions besides split.test_sources and "
            "split.train_sources "
            "(found [['sim-east']])",
        ),
        (
            {"train": {"window_s": 0.001}},
            "train.window_s: it holds no sample at preprocess.rate_hz 100",
        ),
        (
            {
                "evaluate": {"thresholds": "challenge"},
                "labels": {"classes": ["426783006", "164884008"]},
            },
            "evaluate.thresholds: 'challenge' needs the challenge's weights, "
            "which not all labels.classes have",
        ),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_contradictions_are_found_before_anything_runs(changes, message):
    values = copy.deepcopy(params.load(FILES[0]))
    for section, change in changes.items():
        values[section] |= {"sources": ["sim-east"]} if change == "one alone" else change
    assert faults(values, ENTRIES) == [message]


def test_a_model_to_start_from_that_does_not_fit_is_told_before_anything_runs(tmp_path):
    values = copy.deepcopy(params.load(FILES[0]))
    values["model"] |= NETWORK.model_dump()
    values["train"] |= {"start": "model", "start_model": str(tmp_path / "theirs")}
    (fault,) = faults(values, ENTRIES)
    assert "theirs holds no model.json; give the folder of a trained model" in fault
    small_models.write(tmp_path)
    (tmp_path / "fold-0").rename(tmp_path / "theirs")
    assert faults(values, ENTRIES) == []
    values["preprocess"]["rate_hz"] = 250
    (fault,) = faults(values, ENTRIES)
    assert "theirs does not fit this run (preprocess.rate_hz: 100 there, 250 here)" in fault
    values["train"]["start"] = "scratch"
    assert faults(values, ENTRIES) == []


@pytest.mark.parametrize(
    ("where", "value", "pattern"),
    [
        ("data.sources", [{"a": 1}], r"data\.sources\.0: text"),
        ("data.sources", [["a"]], r"data\.sources\.0: text"),
        ("data.sources", ["a" * 101], r"data\.sources\.0: 1 to 100 letters, digits"),
        (
            "split.test_sources",
            [{"a": 1}],
            r"split\.test_sources\.0: text",
        ),
        (
            "data.root",
            "",
            r"data\.root: it is the path of a folder, in printable characters \(found ''\)$",
        ),
        ("data.root", "data\0raw", r"data\.root: it is the path of a folder"),
        ("data.root", "data/signals", r"data\.root: stages write there, or below"),
        ("data.root", "data/raw/../models/x", r"data\.root: stages write there, or below"),
        ("data.root", "data", r"data\.root: stages write there, or below"),
        ("data.root", ".", r"data\.root: stages write there, or below"),
        (
            "train.start_model",
            "a\0b",
            r"train\.start_model: it is the path of a folder, in printable",
        ),
        ("train.start_model", " ", r"train\.start_model: it is the path of a folder"),
        (
            "train.start_model",
            "data/models/fold-0",
            r"train\.start_model: stages write there, or b",
        ),
        ("pretrain.folder", "data/models", r"pretrain\.folder: stages write there, or below"),
        ("pretrain.folder", ".", r"pretrain\.folder: stages write there, or below"),
        ("pretrain.folder", "a\0b", r"pretrain\.folder: it is the path of a folder"),
        ("pretrain.simulated_hz", 1001, r"pretrain\.simulated_hz: 1000 or less"),
        ("simulate.sources", ["sim-north", "sim-north"], r"simulate\.sources: each source once"),
        (
            "simulate.seed",
            2**63,
            r"simulate\.seed: 4294967295 or less",
        ),
        ("split.seed", 2**63, r"split\.seed: "),
        ("train.seed", 2**63, r"train\.seed: "),
        ("evaluate.seed", 2**63, r"evaluate\.seed: "),
        ("train.threads", 10**12, r"train\.threads: 1024 or less"),
        ("train.window_s", 1e12, r"train\.window_s: 600 or less"),
        ("train.epochs", 10**12, r"train\.epochs: "),
        pytest.param(
            "train.epochs", 1 << 20000, r"train\.epochs: .*int of more than 4300 digits", id="huge"
        ),
        (
            "compute.workers",
            0,
            r"compute\.workers: -1 \(all cores\) or a number of 1 or more \(found 0\)$",
        ),
        ("labels.classes", ["no code"], r"^labels\.classes: 'no code' is no SNOMED CT code"),
        ("labels.classes", "all", r"^labels\.classes: (?!.*labels\.classes)"),
        (
            "labels.classes",
            [4.5],
            r"labels\.classes\.0: text",
        ),
    ],
)
def test_what_no_stage_could_work_with_is_told_by_its_name_alone(where, value, pattern):
    values = copy.deepcopy(params.load(FILES[0]))
    section, key = where.split(".")
    values[section][key] = value
    problems = faults(values, ENTRIES)
    assert any(re.search(pattern, fault) for fault in problems), problems
    assert [
        fault for fault in problems if not fault.startswith((where, "data.sources: 'aaaa"))
    ] == [], "and nothing else"


def test_a_file_from_before_pretraining_does_without_its_section():
    values = copy.deepcopy(params.load(FILES[0]))
    del values["pretrain"]
    assert faults(values, ENTRIES) == []


def test_sources_are_not_looked_up_in_a_catalogue_that_cannot_be_read():
    values = copy.deepcopy(params.load(FILES[0]))
    values["data"]["sources"] = ["nowhere"]
    assert faults(values, None) == []
