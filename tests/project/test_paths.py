"""Names of folds and their folders."""

from ecgpipe.project import paths


def test_every_artefact_has_its_place():
    assert paths.store("ptb-xl").as_posix() == "data/signals/ptb-xl"
    assert paths.model(3).as_posix() == "data/models/fold-3"
    assert paths.predictions("0").as_posix() == "data/predictions/fold-0"
    assert paths.state(1).as_posix() == "data/checkpoints/fold-1/state.pt"
