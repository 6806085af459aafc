"""Windows of a batch, gathered from the signals in one step."""

import math
from collections.abc import Callable

import torch

from ecgpipe.dataset.examples import Examples
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

_ROUNDING = 1e-6  # samples by which a time map may miss the end of a recording that it is to hit
_STEPS = 8  # samples that are normalised side by side
_FLAT_MV = 1e-4  # the deviation of a lead up to which it counts as flat


def gather(
    data: Examples,
    rows: torch.Tensor,
    tau: torch.Tensor,
    *,
    cubic: bool = False,
    out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The signals of `rows` [batch] read at tau [batch, time] samples, in mV, float32 [batch, time,
    lead] (written into `out`, where given); and which samples lie inside their recording, float32
    [batch, time, 1] of 1 and 0, or None where all are known to.

    Whole steps (int64) are read as stored. Fractions (float64) are interpolated, linearly or by
    cubic convolution (Keys 1981, doi:10.1109/TASSP.1981.1163711, a = -1/2). Zero outside the
    recording; its ends are continued for what lies within a step of them.
    """
    source, first, samples = data.place[rows].T
    signal = torch.empty((*tau.shape, len(LEADS)), device=tau.device) if out is None else out
    low = tau.floor().to(torch.int64) if tau.is_floating_point() else tau

    def near(step: int) -> torch.Tensor:
        return _at(data, source, first, samples, low + step).to(torch.float32)

    if tau.is_floating_point():
        _between(near, (tau - low).to(torch.float32)[..., None], cubic, signal)
    else:
        signal.copy_(_at(data, source, first, samples, tau))
    slack = _ROUNDING if tau.is_floating_point() else 0
    inside = (tau >= -slack) & (tau <= (samples[:, None] - 1).to(tau.dtype) + slack)
    # A GPU would have to wait for the answer whether all are inside.
    if inside.device.type == "cpu" and bool(inside.all()):
        return signal.mul_(1e-3), None  # uV to mV
    known = inside.to(torch.float32)[..., None]
    return signal.mul_(known * 1e-3), known


def window_starts(samples: int, window: int) -> list[int]:
    """The windows that cover a recording in evaluation: half overlapping, the last flush with the
    end; [0] where the recording is not longer than the window (it is padded with zeros at its end).

    >>> window_starts(900, 1000), window_starts(2300, 1000)
    ([0], [0, 500, 1000, 1300])
    """
    if samples <= window:
        return [0]
    return [*range(0, samples - window, max(1, window // 2)), samples - window]


def _between(
    near: Callable[[int], torch.Tensor], share: torch.Tensor, cubic: bool, out: torch.Tensor
) -> torch.Tensor:
    """[batch, time, lead] at `share` [batch, time, 1] of a step from near(0) to near(1), written
    into `out`."""
    if not cubic:
        return torch.lerp(near(0), near(1), share, out=out)
    torch.mul(near(-1), ((2.0 - share) * share - 1.0) * share / 2.0, out=out)
    out.addcmul_(near(0), ((3.0 * share - 5.0) * share * share + 2.0) / 2.0)
    out.addcmul_(near(1), ((4.0 - 3.0 * share) * share + 1.0) * share / 2.0)
    return out.addcmul_(near(2), (share - 1.0) * share * share / 2.0)


def _at(
    data: Examples,
    source: torch.Tensor,
    first: torch.Tensor,
    samples: torch.Tensor,
    index: torch.Tensor,
) -> torch.Tensor:
    """int16 [batch, time, lead] at sample `index` [batch, time] of each recording, its ends
    continued."""
    where = index.clamp(min=0).minimum(samples[:, None] - 1) + first[:, None]
    if len(data.signals_uv) == 1:
        return data.signals_uv[0].index_select(0, where.reshape(-1)).view(*index.shape, len(LEADS))
    out = torch.empty((*index.shape, len(LEADS)), dtype=torch.int16, device=index.device)
    for number, signals_uv in enumerate(data.signals_uv):
        mine = torch.nonzero(source == number)[:, 0]
        taken = signals_uv.index_select(0, where[mine].reshape(-1))
        out.index_copy_(0, mine, taken.view(len(mine), index.shape[1], len(LEADS)))
    return out


def normalise(signal_mv: torch.Tensor, inside: torch.Tensor | None, kind: str) -> torch.Tensor:
    """[batch, time, lead] in mV, zero outside the recording, as the network takes it, in place.

    'none' keeps mV, 'lead' gives every lead of every window zero mean and unit standard deviation
    over the samples that are `inside` [batch, time, 1] the recording (1 or 0, float32; None: all
    are); flat leads and what is outside become zeros. Amplitude classes such as LQRSV need 'none'.
    """
    if kind == "none":
        return signal_mv
    if kind != "lead":
        raise UserError(f"train.normalise: '{kind}' is not one of none, lead")
    batch, time, leads = signal_mv.shape
    # Several samples a row fill a processor's vectors: [batch, time / steps, steps * lead].
    steps = math.gcd(time, _STEPS)
    wide = signal_mv.view(batch, time // steps, steps * leads)
    count = time if inside is None else inside.sum(dim=1, keepdim=True).clamp(min=1.0)

    def mean(values: torch.Tensor) -> torch.Tensor:
        """Over time, of what is laid out as `wide`: [batch, 1, lead]."""
        return values.sum(dim=1).view(batch, steps, leads).sum(dim=1, keepdim=True) / count

    wide.sub_(mean(wide).repeat(1, 1, steps))
    if inside is not None:
        signal_mv.mul_(inside)
    deviation = mean(wide * wide).sqrt()
    divisor = torch.where(deviation > _FLAT_MV, deviation, torch.ones_like(deviation))
    wide.div_(divisor.repeat(1, 1, steps))
    return signal_mv
