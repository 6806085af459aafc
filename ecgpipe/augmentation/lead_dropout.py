"""Lead dropout: some leads fall silent, as if they were not recorded."""

from typing import Literal

import torch
from pydantic import Field

from ecgpipe.augmentation.contracts import AXIS, Contract, all_but
from ecgpipe.augmentation.record import Augmentation, Batch, Kind, Variant
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


LEAD_DROPOUT = Augmentation(
    name="lead_dropout",
    stream=3,
    kind=Kind.LEADS,
    contract=Contract("lead dropout", all_but("algebra", "amplitude"), breaks=(*AXIS, "PRWP")),
    caption="each lead falls silent with probability `lead_dropout_share`, never all.",
    act=_lead_dropout,
    settings={
        "how": (Literal["leads", "sets"], "leads"),
        "share": (float, Field(0.25, ge=0, lt=1)),
    },
    probability=0.3,
    variants=(
        Variant(
            name="lead_dropout_sets",
            setting="how",
            value="sets",
            caption="six, four, three or two leads stay, the reduced sets of the CinC Challenge "
            "2021.",
        ),
    ),
    prepare=_sets,
)

AUGMENTATIONS = (LEAD_DROPOUT,)
