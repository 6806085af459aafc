"""Makes one of the demo's sources: `python -m stages.simulate sim-north` writes data/raw/sim-north."""

from ecgpipe import exits

if __name__ == "__main__":
    exits.listen()

import sys
from pathlib import Path

from ecgpipe import params, simulating


def main(source: str) -> None:
    """Reads the section `simulate`, writes the recordings of `source`."""
    values = params.load()
    chosen = params.section(simulating.Params, values, "simulate")
    compute = params.section(params.Compute, values, "compute")
    params.one_of(source, simulating.SOURCES, "the simulator")
    simulating.simulate(source, Path("data/raw") / source, chosen, compute.workers)


if __name__ == "__main__":
    exits.run(main, *sys.argv[1:])
