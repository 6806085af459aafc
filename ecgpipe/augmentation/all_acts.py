"""What every augmentation does, by its name: the acts of the modules of the formulas, joined."""

from ecgpipe.augmentation import additions, flips, gains, lead_dropout, star, time_warps
from ecgpipe.augmentation.acts import Act

ACTS: dict[str, Act] = (
    time_warps.ACTS | star.ACTS | gains.ACTS | additions.ACTS | lead_dropout.ACTS | flips.ACTS
)
