"""The benchmarks' own tools: what they make reads as it should, and what they measure is there."""

import sys

import numpy as np
import pytest
import wfdb

from ecgpipe.commands.params_faults import faults
from ecgpipe.preprocessing import store_writer
from ecgpipe.project import params
from ecgpipe.recordings import sources
from ecgpipe.recordings.descriptions import describe
from ecgpipe.recordings.recording import read
from tests.benchmarks import bench_data, collection, scale


def test_a_collection_reads_without_a_fault_and_no_recording_comes_twice(tmp_path):
    made = collection.make(tmp_path, 90, simulated=2)
    digests = []
    for name, source in params_of(tmp_path).items():
        described = list(describe(tmp_path / name, source)) if made[name] else []
        assert [description.fault for description in described] == [""] * made[name]
        for description in described:
            assert description.labels
            recording = read(tmp_path / name / description.path, source)
            digests.append(store_writer.raw_digest(recording.signal_mv, recording.rate_hz))
    assert len(set(digests)) == 90
    header = next((tmp_path / "ningbo").rglob("*.hea"))
    expected_mv = wfdb.rdrecord(str(header.with_suffix(""))).p_signal
    assert np.allclose(expected_mv, read(header).signal_mv, atol=1e-6)


def params_of(project):
    names = collection.settings(project)["data"]["sources"]
    return sources.select(names, collection.CATALOGUE)


def test_its_settings_are_a_whole_params_file(tmp_path):
    values = collection.settings(tmp_path)
    assert faults(values, sources.read(collection.CATALOGUE)[0]) == []
    assert params.section(sources.DataParams, values, "data").sources == list(collection.SOURCES)


@pytest.mark.parametrize("count", [1, 1000, collection.PUBLIC])
def test_the_sizes_of_the_sources_add_up(count):
    assert sum(collection.sizes(count).values()) == count


def test_the_published_header_parser_and_the_dictionary_read_what_we_read(tmp_path):
    collection.make(tmp_path, 60, simulated=2)
    paths = sorted(tmp_path.rglob("*.hea"))
    assert len(paths) == 60
    for path in paths:
        ours, published = read(path), bench_data.published_header(path)
        assert [str(code) for code in published["labels"]] == list(ours.labels)
        assert published["age"] == ours.age == float(bench_data.dictionary(path)["Age"])


def test_the_memory_of_a_command_counts_its_children(tmp_path):
    child = "import time; held = bytearray(b'1' * 2**26); time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    seen = scale.measure([sys.executable, "-c", parent], tmp_path)
    assert 64 < seen["anonymous"] < 200
    assert 1 < seen["seconds"] < 20
    with pytest.raises(RuntimeError, match="failed"):
        scale.measure([sys.executable, "-c", "import no_such_module"], tmp_path)
