"""Settings of torch by which a training gives the same bytes each time on one machine."""

import torch


def make_deterministic(threads: int, seed: int, device: torch.device) -> None:
    """Takes these settings for the whole process, and `seed` for what is drawn next."""
    # Sums depend on the number of threads, so it is no matter of the machine.
    torch.set_num_threads(threads)
    # Some kernels of GPUs have no deterministic form: there torch warns of them instead of
    # stopping.
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    # Nothing reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.manual_seed(seed)
