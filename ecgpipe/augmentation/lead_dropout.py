"""Lead dropout: some leads fall silent, as if they were not recorded."""

import torch

from ecgpipe.augmentation.acts import Act, Batch
from ecgpipe.dataset.examples import Examples
from ecgpipe.project.leads import LEADS

# The reduced sets of the CinC Challenge 2021 (https://moody-challenge.physionet.org/2021/): 6, 4, 3
# and 2 leads.
REDUCED = (
    ("I", "II", "III", "aVR", "aVL", "aVF"),
    ("I", "II", "III", "V2"),
    ("I", "II", "V2"),
    ("I", "II"),
)


def kept_leads(draw: torch.Tensor, share: float) -> torch.Tensor:
    """Which leads stay when each is dropped with probability `share`, never all: bool [batch, lead]
    from uniform draws [batch, lead]; the lead with the highest draw always stays."""
    return (draw >= share) | (draw == draw.amax(dim=1, keepdim=True))


def reduced_sets(device: torch.device) -> torch.Tensor:
    """Which leads each set in REDUCED keeps: bool [set, lead]."""
    return torch.tensor([[lead in kept for lead in LEADS] for kept in REDUCED], device=device)


def reduced_leads(sets: torch.Tensor, draw: torch.Tensor) -> torch.Tensor:
    """The leads of one of the sets, each as likely: bool [batch, lead] from uniform draws [batch,
    1]."""
    return sets[(draw[:, 0] * len(sets)).to(torch.int64)]


def _sets(data: Examples, *_: object) -> torch.Tensor:
    return reduced_sets(data.place.device)


def _lead_dropout(batch: Batch) -> torch.Tensor:
    if batch.settings["how"] == "sets":
        kept = reduced_leads(batch.prepared, batch.draws.uniform(1, 1))
    else:
        kept = kept_leads(batch.draws.uniform(1, len(LEADS)), batch.settings["share"])
    return kept | ~batch.chosen


ACTS = {"lead_dropout": Act(_lead_dropout, prepare=_sets)}
