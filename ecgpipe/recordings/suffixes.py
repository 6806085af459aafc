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

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".z")

# By the form of a source: the one file that stands for each of its recordings.
OF_FORM = {"wfdb": HEADER, "h5": HDF5}


def is_vendor_format(name: str) -> bool:
    """Whether a file's name ends as those of hospitals' formats do.

    >>> is_vendor_format("ward/A1.XML"), is_vendor_format("A1.hea")
    (True, False)
    """
    return f".{name.rpartition('.')[2].lower()}" in VENDOR


def parted(name: str) -> tuple[str, str]:
    """(stem, suffix) of a file's name, as pathlib has them, which takes longer."""
    stem, dot, end = name.rpartition(".")
    return (stem, dot + end) if stem else (name, "")


def is_packed(name: str) -> bool:
    """Whether a name is that of a packed file; archives of many are told by other suffixes."""
    return parted(name)[1].lower() in _PACKED


def kind(name: str) -> str:
    """The suffix in small letters; of a packed file the one below.

    >>> kind("A1.HEA"), kind("A1.mat.gz"), kind("all.tar.gz")
    ('.hea', '.mat', '.tar')
    """
    name = name.lower()
    return parted(parted(name)[0] if is_packed(name) else name)[1]


def bare(path: str) -> str:
    """The path of a file of our own forms, packed or not, without its suffixes; '' of any other.

    >>> bare("g1/A1.HEA.gz"), bare("A1.b.mat"), bare("all.tar.gz")
    ('g1/A1', 'A1.b', '')
    """
    if kind(path) not in OWN:
        return ""
    return parted(parted(path)[0] if is_packed(path) else path)[0]
