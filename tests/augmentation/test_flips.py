import torch

from ecgpipe.augmentation import flips
from tests.fixtures.augmented_batches import POSITION, SPAN, made, recordings, switched, untouched


def test_a_flip_reads_every_sample_once_backwards_where_it_is_chosen():
    chosen = torch.tensor([[True], [False]])
    read = flips.flipped(POSITION.repeat(2, 1), chosen, SPAN)
    assert torch.equal(read[0], POSITION[0].flip(0))
    assert torch.equal(read[1], POSITION[0])


def test_flipped_batches_are_the_stored_signals_backwards_or_upside_down():
    data = recordings(count=4)
    assert torch.equal(made(data, switched("time_flip")), untouched(data).flip(2))
    assert torch.equal(made(data, switched("amplitude_flip")), -untouched(data))
