"""How the names of recordings' files end: what is taken for a recording, and read as what.

The suffixes of our own forms are written in small letters alone, as WFDB has them; those of
hospitals' formats (`ecgpipe.prediction.vendor_formats`) in any case.
"""

HEADER = ".hea"
MATLAB = ".mat"
SIGNAL = ".dat"
HDF5 = ".h5"
# In the order in which they are told to people.
OWN = (HEADER, MATLAB, SIGNAL, HDF5)
VENDOR = frozenset((".dcm", ".dicom", ".scp", ".xml", ".edf", ".mwf", ".mfer", ".mfr", ".ecg"))

# By the form of a source: the one file that stands for each of its recordings.
OF_FORM = {"wfdb": HEADER, "h5": HDF5}


def is_vendor_format(name: str) -> bool:
    """Whether a file's name ends as those of hospitals' formats do.

    >>> is_vendor_format("ward/A1.XML"), is_vendor_format("A1.hea")
    (True, False)
    """
    return f".{name.rpartition('.')[2].lower()}" in VENDOR
