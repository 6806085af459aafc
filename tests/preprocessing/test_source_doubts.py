"""What the recordings of a source show together."""

from pathlib import Path

import numpy as np
import pytest

from ecgpipe.preprocessing import source_doubts
from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import quality, recording, source_files, sources
from ecgpipe.recordings.recording import Recording
from tests.fixtures.limbs import augmented, lawful

TIME = np.arange(5000) / 500


def made(scale=1.0, flat=(), leads=(0, 1, 2)):
    """A recording of narrow waves in mV, with faults made on purpose."""
    wave = np.exp(-0.5 * ((TIME % 1 - 0.4) / 0.02) ** 2)
    sizes = np.linspace(0.3, 1.5, 12)
    sizes[2] = 0.2
    noise = np.random.default_rng(0).normal(0, 0.01, (5000, 12))
    signal_mv = lawful(wave[:, None] * sizes + noise).astype(np.float32) * np.float32(scale)
    signal_mv[:, :3] = signal_mv[:, list(leads)]
    signal_mv[:, list(flat)] = 0
    return Recording(signal_mv, 500, 50, "F", None, (), quality.flags(signal_mv, 500))


def tally(*recordings):
    told = source_doubts.Tally()
    for each in recordings:
        told.add(source_doubts.measure(each))
    return told


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"scale": 15}, r"2 of 20 recordings are out of scale .*: likely a wrong unit or gain"),
        ({"scale": 0.05}, r"2 of 20 recordings are out of scale"),
        ({"flat": range(3, 9)}, r"2 of 20 recordings have flat leads \(half of the leads or more"),
        (
            {"leads": (1, 0, 2)},
            r"2 of 20 recordings break III = II - I: likely a wrong lead order \(I and II exchang",
        ),
    ],
)
def test_a_source_of_which_more_than_the_limit_is_doubtful_stops_with_the_likely_cause(fault, says):
    sound, faulty = [made()] * 18, [made(**fault)] * 2
    counts = tally(*sound, *faulty)
    counts.check(0.1, "data/raw/a")
    with pytest.raises(ValueError, match="data/raw/a: " + says) as caught:
        counts.check(0.05, "data/raw/a")
    assert "more than data.max_refused 0.05; `python -m ecgpipe check" in str(caught.value)
    assert len(counts.sentences()) == 1


def test_a_lead_that_is_flat_in_most_recordings_counts_and_one_flat_now_and_then_does_not():
    now_and_then = tally(*[made()] * 9, *[made(flat=[7])] * 6)
    assert now_and_then.report()["doubtful"] == {"scale": 0, "flat": 0, "limb-leads": 0}
    mostly = tally(made(), *[made(flat=[7])] * 6)
    with pytest.raises(ValueError, match=r"6 of 7 recordings have flat leads \(V2 in most"):
        mostly.check(0.5, "a")
    tally(made(), *[made(flat=[7])] * 4).check(0.0, "a")


def test_augmented_leads_in_another_order_stop_a_source_too():
    signal_mv = augmented(made().signal_mv)[:, [0, 1, 2, 5, 4, 3, *range(6, 12)]]
    faulty = Recording(signal_mv, 500, 50, "F", None, (), quality.flags(signal_mv, 500))
    says = r"3 of 9 recordings break the limb leads' laws: .* \(aVR and aVF exchanged in 3 of them"
    with pytest.raises(ValueError, match=says):
        tally(*[made()] * 6, *[faulty] * 3).check(0.05, "a")


def test_one_recording_alone_stops_no_source():
    tally(made(leads=(1, 0, 2)), *[made()] * 5).check(0.0, "a")


def test_single_spikes_and_leads_off_are_no_doubt_of_a_source():
    """28 of INCART's 74 recordings have values beyond 10 mV, in half an hour each."""
    spiked = made()
    spiked.signal_mv[100:110, 7] = 14
    spiked = Recording(spiked.signal_mv, 500, 50, "F", None, (), ("out-of-range",))
    tally(*[spiked] * 10).check(0.0, "a")


def test_a_device_that_filters_its_leads_apart_is_told_once_and_stops_nothing():
    """All recordings of one real hospital are off by 17 microvolts."""
    apart = made()
    apart.signal_mv[:, 2] *= 0.91
    apart = Recording(apart.signal_mv, 500, 50, "F", None, (), quality.flags(apart.signal_mv, 500))
    assert apart.faults == ()
    counts = tally(*[apart] * 193)
    counts.check(0.0, "a")
    (sentence,) = counts.sentences()
    assert "193 of 193 recordings break III = II - I by 17 to 17 microvolts" in sentence
    assert counts.report()["limb_error_uv"] == pytest.approx({"median": 17, "largest": 17}, abs=1)


def test_no_recording_is_no_doubt():
    tally().check(0.0, "a")
    assert tally().sentences() == []
    assert tally().report()["limb_error_uv"] == {"median": 0.0, "largest": 0.0}


@pytest.mark.parametrize("factor", [0.1, 0.2, 10])
def test_real_recordings_read_by_a_wrong_gain_would_stop(real_data, factor):
    """Of ten million steps a volt one more or less digit is a factor of ten; 5000 for 1000 is one
    of five."""
    counts, headers = source_doubts.Tally(), sorted((real_data / "ludb").rglob("*.hea"))
    for header in headers:
        read = recording.read(header)
        signal_mv = read.signal_mv * np.float32(factor)
        flags = quality.flags(signal_mv, read.rate_hz)
        wrong = Recording(signal_mv, read.rate_hz, None, None, None, (), flags)
        counts.add(source_doubts.measure(wrong))
    with pytest.raises(ValueError, match=r"recordings are out of scale"):
        counts.check(0.05, "ludb")


def test_no_real_source_is_doubtful(real_data):
    folders = [folder for folder in sorted(real_data.iterdir()) if folder.is_dir()]
    assert len(folders) == 9
    catalogue = Path(__file__).parents[2] / SOURCES
    for folder in folders:
        source = sources.select([folder.name], catalogue)[folder.name]
        files = source_files.find(folder, source)
        counts = tally(*(recording.read(file, source, folder) for _, file in files))
        counts.check(0.05, folder)
        assert counts.report()["limb_error_uv"]["largest"] <= 3
