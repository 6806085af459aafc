"""Makes one of the demo's sources: `python -m stages.simulate sim-north` writes
data/raw/sim-north."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys

from ecgpipe.project import params, paths
from ecgpipe.simulation import hospitals
from ecgpipe.simulation.params import SimulateParams


def main(source: str) -> None:
    kinds = {"simulate": SimulateParams, "compute": params.Compute}
    simulate, compute = params.sections(params.load(), **kinds)
    params.one_of(source, hospitals.SOURCES, "the simulator")
    hospitals.simulate(source, paths.SIMULATED / source, simulate, compute.workers)


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:], reads_recordings=True)
