from ecgpipe.recordings import suffixes


def test_no_suffix_means_two_forms():
    assert suffixes.VENDOR.isdisjoint(suffixes.OWN)
    assert all(suffix == suffix.lower() for suffix in suffixes.VENDOR.union(suffixes.OWN))
    assert set(suffixes.OF_FORM.values()) <= set(suffixes.OWN)
