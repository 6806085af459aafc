"""The stream of simulated recordings, beside the simulator and the conditioning that it uses."""

from types import SimpleNamespace

import numpy as np
import pytest

from ecgpipe.diagnoses import classes
from ecgpipe.preprocessing.r_peaks import r_peaks
from ecgpipe.pretraining import stream
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.simulation import label_criteria, readers
from ecgpipe.simulation.recording import simulate_recording
from tests.fixtures import small_pretraining


@pytest.fixture(scope="module")
def drawn():
    return stream.of(PretrainParams.model_validate(small_pretraining.values()), seed=7)


def test_a_recording_is_the_same_whatever_was_drawn_before(drawn):
    first = [stream.draw(drawn, index) for index in (0, 1, 2)]
    again = stream.draw(drawn, 2)
    for value, expected in zip(again, first[2], strict=True):
        np.testing.assert_array_equal(value, expected)
    assert len({recording.digest for recording in first}) == 3
    other = stream.draw(drawn._replace(seed=8), 2)
    assert other.digest != again.digest


def test_signals_are_conditioned_and_their_peaks_are_where_a_detector_finds_them(drawn):
    found, known = 0, 0
    for index in range(40):
        recording = stream.draw(drawn, index)
        assert recording.signal_uv.shape == (400, 12)
        assert recording.signal_uv.dtype == np.int16
        by_detector = r_peaks(recording.signal_uv / 1000.0, 100)
        # R of a beat may lie just beyond the ends.
        by_detector = by_detector[(by_detector >= 15) & (by_detector < 385)]
        apart = np.abs(by_detector[:, None] - recording.peaks[None]).min(axis=1, initial=99)
        found, known = found + (apart <= 6).sum(), known + len(by_detector)
    assert known > 150
    assert found > 0.84 * known  # 0.89 of many: four seconds hold noisy and odd beats too


def test_labels_are_those_of_the_simulator_and_blank_where_they_are_undecided():
    rngs = (np.random.default_rng(seed) for seed in range(100))
    drawn = (simulate_recording(rng, rate_hz=250, seconds=4) for rng in rngs)
    recording = next(one for one in drawn if one.undecided)
    row = stream.labels(recording)
    diagnoses = classes.select("official")
    assert len(row) == len(diagnoses) == 26
    present = {
        diagnosis.code for diagnosis, value in zip(diagnoses, row, strict=True) if value == 1
    }
    by_code = {code: diagnosis.code for diagnosis in diagnoses for code in diagnosis.codes}
    assert present == {by_code[code] for code in recording.codes}
    undecided = {by_code[label_criteria.CODES[label]] for label in recording.undecided}
    assert undecided
    assert {d.code for d, value in zip(diagnoses, row, strict=True) if np.isnan(value)} == undecided


def test_recordings_are_read_by_readers_who_differ(drawn, monkeypatch):
    asked = []

    def draw_reader(rng):
        asked.append(readers.draw_reader(rng))
        return asked[-1]

    monkeypatch.setattr(stream, "readers", SimpleNamespace(draw_reader=draw_reader))
    digests = [stream.draw(drawn, index).digest for index in (0, 1, 0)]
    assert asked[0] == asked[2] != asked[1]
    assert digests[0] == digests[2]


def test_mixed_populations_come_in_turn():
    params = PretrainParams.model_validate(small_pretraining.values(population="mixed"))
    drawn = stream.of(params, seed=7)
    alone = {name: drawn._replace(populations=(name,)) for name in ("balanced", "published")}
    for index, name in enumerate(["balanced", "published", "balanced"]):
        assert stream.draw(drawn, index).digest == stream.draw(alone[name], index).digest
