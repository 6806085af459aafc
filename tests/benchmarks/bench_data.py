"""Headers to label rows, recordings to stores, tables to folds: on one core, on a made-up
collection.

The references are written here as plainly as they are published: one header or recording at a time,
one lead at a time.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.fft
import scipy.io
import scipy.signal
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
from scipy.interpolate import interp1d

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import is_annotated, select
from ecgpipe.labels import mapping, patients
from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import tables
from ecgpipe.recordings import descriptions, recording
from ecgpipe.recordings.sources import Source
from ecgpipe.splitting.folds import split
from ecgpipe.splitting.params import SplitParams
from tests.benchmarks import collection
from tests.benchmarks.measuring import Row, seconds

RECORDINGS = 1200  # in the collection; 300 of them are conditioned
CONDITIONED = 300
TO_HZ, LOW_HZ, HIGH_HZ, ORDER = 250, 0.5, 40.0, 2
PREPROCESS = PreprocessParams(
    rate_hz=TO_HZ, low_hz=LOW_HZ, high_hz=HIGH_HZ, order=ORDER, min_duration_s=2
)
SPLIT = SplitParams(
    folds=[0, 1, 2, 3, 4],
    protocol="stratified",
    test_fraction=0,
    test_sources=[],
    institutions=[],
    seed=1,
)


def rows() -> list[Row]:
    """The rows of this part of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw"
        collection.make(raw, RECORDINGS, simulated=100)
        return [label_rows(raw), *stores(raw, Path(scratch)), folds()]


def label_rows(raw: Path) -> Row:
    """Headers to rows of labels.csv, found and mapped; the references only read."""
    paths = sorted(raw.glob("*/*/*.hea"))
    sources = {
        name: Source(form="wfdb", vocabulary=public.vocabulary, codes="snomed")
        for name, public in collection.SOURCES.items()
    }
    classes = select("official")

    def ours() -> list[pd.DataFrame]:
        made = []
        for name, source in sources.items():
            described = patients.judged(descriptions.describe(raw / name, source))
            words = mapping.vocabulary(source, raw / name)
            made.append(mapping.map_source(name, described, source, words, classes))
        return made

    assert sum(map(len, ours())) == len(paths)
    published_s, least_s, ours_s = seconds(
        lambda: [published_header(path) for path in paths],
        lambda: [dictionary(path) for path in paths],
        ours,
    )
    count = len(paths)
    return Row(
        step="header to label row",
        unit="headers/s",
        reference_name="published parser, reading alone",
        reference=count / published_s,
        ours=count / ours_s,
        aim=">= 5,900/s (88,253 in 15 s)",
        limit=count / least_s,
        limited_by="one read and a dictionary",
    )


def published_header(path: Path) -> dict:
    """A header, line by line."""
    header = {"labels": []}
    with path.open() as handle:
        for number, line in enumerate(handle):
            if number == 0:
                header["rate"], header["samples"] = (int(text) for text in line.split(" ")[2:4])
            elif line.startswith("#Age"):
                header["age"] = int(line.split(": ")[1])
            elif line.startswith("#Sex"):
                header["sex"] = line.split(": ")[1].strip()
            elif line.startswith("#Dx"):
                header["labels"] = [int(code) for code in line.split(": ")[1].split(",")]
    return header


def dictionary(path: Path) -> dict:
    """The least that can be done to a header: one read, one dictionary of its comments."""
    lines = path.read_text().split("\n")
    return dict(line[1:].partition(": ")[::2] for line in lines if line.startswith("#"))


def stores(raw: Path, scratch: Path) -> list[Row]:
    """Recordings read, conditioned, with R-peaks, and stored."""
    source = Source(form="wfdb", vocabulary="Ningbo", codes="snomed")
    few = scratch / "few"
    few.mkdir()
    for path in sorted((raw / "ningbo").glob("*/*"))[: 2 * CONDITIONED]:
        shutil.copy(path, few / path.name)
    mats = sorted(few.glob("*.mat"))
    assert len(mats) == CONDITIONED

    def ours() -> None:
        shutil.rmtree(scratch / "store", ignore_errors=True)
        report = build_store.build_store(
            scratch / "store",
            few,
            source,
            PREPROCESS,
            max_refused=0.05,
            workers=1,
            backend="loky",
            progress=lambda items, total: items,
        )
        assert report["stored"] == CONDITIONED

    signals_mv = [recording.read(path).signal_mv for path in mats[:50]]
    sections = scipy.signal.butter(
        ORDER, (LOW_HZ, HIGH_HZ), "bandpass", fs=collection.RATE_HZ, output="sos"
    )
    out = scratch / "out.mat"
    published_30_s = seconds(
        lambda: [published_preprocessing(mat, out) for mat in mats[:30]], rounds=3
    )[0]
    together_s, transforms_s, ours_s = seconds(
        lambda: [all_leads_at_once(mat, sections, out) for mat in mats],
        lambda: [transform(signal_mv) for signal_mv in signals_mv],
        ours,
    )
    same = {
        "step": "read, condition, R-peaks, store",
        "unit": "recordings/s",
        "ours": CONDITIONED / ours_s,
        "limit": len(signals_mv) / transforms_s,
        "limited_by": "FFT for all leads alone",
    }
    return [
        Row(
            reference_name="published preprocessing",
            reference=30 / published_30_s,
            aim=">= x20, >= 900/s",
            **same,
        ),
        Row(
            reference_name="sosfiltfilt on all leads, packed",
            reference=CONDITIONED / together_s,
            aim="",
            **same,
        ),
    ]


def published_preprocessing(path: Path, out: Path) -> None:
    """A .mat file filtered, the filter designed for each lead, then resampled lead by lead by a
    cubic spline, and written as a .mat file with a header of the new rate; no R-peaks, no checks,
    no hash."""
    header = path.with_suffix(".hea")
    lines = header.read_text().split("\n")
    name, leads_count, rate_hz, samples = lines[0].split(" ")
    leads = scipy.io.loadmat(path)["val"].astype(np.float64)
    for number, lead in enumerate(leads):
        sections = scipy.signal.butter(
            ORDER, (LOW_HZ, HIGH_HZ), "bandpass", fs=int(rate_hz), output="sos"
        )
        leads[number] = scipy.signal.sosfiltfilt(sections, lead, padtype="even", padlen=250)
    before = np.linspace(0, int(samples) / int(rate_hz), int(samples))
    after = np.linspace(before[0], before[-1], int(samples) * TO_HZ // int(rate_hz))
    made = np.array([interp1d(before, lead, kind="cubic")(after) for lead in leads])
    scipy.io.savemat(out, {"val": made})
    shutil.copy(header, out.with_suffix(".hea"))
    out.with_suffix(".hea").write_text(
        "\n".join([f"{name} {leads_count} {TO_HZ} {samples}", *lines[1:]])
    )


def all_leads_at_once(path: Path, sections: np.ndarray, out: Path) -> None:
    """The same filter on all leads in one call, every second sample kept, packed into 16 bits."""
    digital = np.fromfile(path, dtype="<i2", offset=24).reshape(-1, 12)
    filtered = scipy.signal.sosfiltfilt(
        sections, digital / 1000, axis=0, padtype="even", padlen=250
    )[::2]
    out.write_bytes(np.rint(filtered * 1000).astype(np.int16).tobytes())


def transform(signal_mv: np.ndarray) -> np.ndarray:
    """The transforms of `preprocessing.bandpass.condition`, with nothing in between: there is no
    less to do."""
    spectrum = scipy.fft.rfft(np.pad(signal_mv, ((1000, 1200), (0, 0))), axis=0)
    return scipy.fft.irfft(spectrum[:1801], 3600, axis=0)


def folds() -> Row:
    """As many recordings as the public data have, to five folds."""
    table = public_table()
    codes = tables.class_codes(table)
    source = pd.get_dummies(table["source"]).to_numpy(bool)
    positive = (table[codes] == 1).to_numpy()
    # [row, source] and [row, class] -> [row, source x class]
    joint = (source[:, :, None] & positive[:, None, :]).reshape(len(table), -1).astype(int)

    def theirs() -> None:
        dealer = MultilabelStratifiedKFold(n_splits=5, shuffle=True, random_state=1)
        assert len(list(dealer.split(np.zeros((len(joint), 1)), joint))) == 5

    def ours() -> None:
        made, left_out = split(table, list(collection.SOURCES), SPLIT)
        assert made["fold"].nunique() == 5 and len(made) + len(left_out) == len(table)

    theirs_s, ours_s = seconds(theirs, ours, rounds=2)
    return Row(
        step="splitting 88,253 x 26 x 8 sources",
        unit="recordings/s",
        reference_name="iterative-stratification, joint columns, no groups or checks",
        reference=len(table) / theirs_s,
        ours=len(table) / ours_s,
        aim=">= 8,825/s (10 s)",
    )


def public_table() -> pd.DataFrame:
    """What `splitting.folds.split` gets of the public data: labels drawn from each source's
    vocabulary, patients in PTB-XL alone, and one recording in a thousand an exact duplicate of
    another."""
    classes, rng = select("official"), np.random.default_rng(1)
    column = {}
    for index, diagnosis in enumerate(classes):
        column |= dict.fromkeys(diagnosis.codes, index)
    parts = []
    for name, source in collection.SOURCES.items():
        values = np.zeros((source.recordings, len(classes)))
        for row, codes in enumerate(collection.labels(name, source.recordings, rng)):
            values[row, [column[code] for code in codes if code in column]] = 1
        annotated = is_annotated(vocabularies.vocabulary(source.vocabulary), classes)
        values[:, ~np.array(annotated)] = np.nan
        part = pd.DataFrame(values, columns=[diagnosis.code for diagnosis in classes])
        part["record"] = [f"{source.prefix}{number:06d}" for number in range(source.recordings)]
        part["path"] = [f"{record}.hea" for record in part["record"]]
        people = rng.integers(0, 3 * source.recordings, source.recordings).astype(str)
        parts.append(part.assign(source=name, patient=people if name == "ptb-xl" else ""))
    table = pd.concat(parts, ignore_index=True)
    digest = np.arange(len(table))
    again = rng.choice(len(table), len(table) // 1000, replace=False)
    digest[again] = digest[rng.permutation(again)]
    return table.assign(digest=digest.astype(str))
