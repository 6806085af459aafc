"""The records of what moves samples in time."""

import numpy as np
import pytest
import torch

from ecgpipe.augmentation import time_records, time_warps
from ecgpipe.augmentation.record import Augmentation, Kind

RECORDS = [record for record in vars(time_records).values() if isinstance(record, Augmentation)]


def test_each_is_asked_for_the_time_map():
    assert len(RECORDS) > 8
    assert {record.kind for record in RECORDS} == {Kind.START, Kind.WINDOW, Kind.BEATS}


@pytest.mark.parametrize("shift_s", [0.1, -0.4, 0.5])
@pytest.mark.parametrize("frequency_hz", [0.2, 0.35, 0.5])
def test_a_sine_is_refused_where_its_map_turns_back(shift_s, frequency_hz):
    settings = {
        "shift_low_s": min(shift_s, 0.0),
        "shift_high_s": max(shift_s, 0.0),
        "frequency_low_hz": 0.1,
        "frequency_high_hz": frequency_hz,
    }
    time_s = torch.from_numpy(np.linspace(0, 20, 20_001))
    read_s = time_warps.sine_resampled(time_s, torch.tensor(shift_s), torch.tensor(frequency_hz))
    turns_back = bool((torch.diff(read_s) < 0).any())
    assert (time_records.SINE_RESAMPLE.fault(settings) is not None) == turns_back
