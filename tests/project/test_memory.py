"""Memory that is kept: pages that the system has to give again and again, counted."""

import subprocess
import sys

import pytest

PAGES = """
import resource
import numpy as np
from ecgpipe.project import memory
if {kept}:
    memory.keep_freed()
for _ in range(3):  # at first the C library learns, and takes what is needed
    sizes = [np.ones(30_000) for _ in range(10)]
    del sizes
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    sizes = [np.ones(30_000) for _ in range(10)]
    del sizes
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(kept: bool) -> int:
    code = PAGES.format(kept=kept)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's own rule")
def test_pages_are_not_asked_for_again():
    assert pages(kept=True) < 100 < pages(kept=False)
