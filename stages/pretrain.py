"""pretrain: a network that learns from simulated hearts alone, and its card, in data/pretrained (or
the folder that pretrain.folder names)."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys

from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.pretraining import pretrain
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import params


def main() -> None:
    kinds = {"pretrain": PretrainParams, "evaluate": EvaluateParams, "compute": params.Compute}
    pretrain.pretrain(*params.sections(params.load(), **kinds))


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])
