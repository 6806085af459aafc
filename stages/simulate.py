"""Makes one of the demo's sources: `python -m stages.simulate sim-north` writes data/raw/sim-north."""

import sys
from pathlib import Path

from ecgpipe import exits, params, simulating


def main(source: str) -> None:
    """Reads the section `simulate`, writes the recordings of `source`."""
    chosen = params.section(simulating.Params, params.load(), "simulate")
    simulating.simulate(source, Path("data/raw") / source, chosen)


if __name__ == "__main__":
    exits.run(main, *sys.argv[1:])
