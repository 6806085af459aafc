"""The records of what changes voltages."""

from ecgpipe.augmentation import voltage_records
from ecgpipe.augmentation.record import Augmentation, Kind

RECORDS = [record for record in vars(voltage_records).values() if isinstance(record, Augmentation)]


def test_each_changes_a_gain_or_adds_and_leaves_time_as_it_is():
    assert len(RECORDS) > 8
    for record in RECORDS:
        assert record.kind in (Kind.GAIN, Kind.ADDITION, Kind.LEADS), record.name
        for contract in (record.contract, *(variant.contract for variant in record.variants)):
            if contract is not None:
                assert {"R-peaks", "RR", "span"} <= contract.keeps, contract.title


def test_hum_covers_both_frequencies_of_the_mains():
    settings = voltage_records.HUM.settings
    low_hz, high_hz = (settings[key][1].default for key in ("low_hz", "high_hz"))
    assert low_hz < 50 < 60 < high_hz
