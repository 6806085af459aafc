"""One record for each augmentation: all that is known of it but its formula.

A record holds the settings in `augment` of params.yaml, the stream of random draws, the contract
and what the page says. `time_records` and `voltage_records` define them, and `all_augmentations`
lists them. The schema of the params (`params`) and the page read nothing else, and the engine
(`augmenter`) asks besides for the function that acts (`acts`). No record needs torch, so params are
checked without the second and more that its import takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from ecgpipe.augmentation.contracts import Contract


class Kind(Enum):
    """What an augmentation acts on, in the order in which the engine asks.

    The comments say what its act takes after the batch, and what it gives.
    """

    # Position [batch, time] in samples of the window -> another such position.
    WINDOW = auto()
    # -> the samples by which the window begins later, float64 [batch, 1].
    START = auto()
    # Position, start [batch, 1] -> samples of the recording and a gain, both [batch, time].
    BEATS = auto()
    # -> a gain that broadcasts to [batch, time, lead].
    GAIN = auto()
    # Signal in mV and `inside` (as `gather` gives them) -> mV to be added [batch, time, lead].
    ADDITION = auto()
    # -> which leads stay, bool [batch, lead]; the others fall silent.
    LEADS = auto()

    @property
    def acts_on(self) -> str:
        """What the table of contracts says."""
        return _ACTS_ON[self]


_ACTS_ON = {
    Kind.WINDOW: "time",
    Kind.START: "time",
    Kind.BEATS: "time, gain",
    Kind.GAIN: "gain",
    Kind.ADDITION: "addition",
    Kind.LEADS: "gain",
}


@dataclass(frozen=True)
class Variant:
    """Another form of an augmentation, which one value of one of its settings chooses.

    name: of its picture. contract: None where it is that of the usual form.
    """

    name: str
    setting: str
    value: str
    caption: str
    contract: Contract | None = None


@dataclass(frozen=True)
class Augmentation:
    """All that is known of one augmentation.

    name: its switch in `augment`. stream: the number of its random draws; no two have the same, and
    one that is given away is never changed, else all results change. caption: what it does, after
    its switch. settings: key -> what `pydantic.create_model` takes (type and default with bounds);
    in `augment` a key stands behind the name: `hum_mv`. probability: of acting on a recording, the
    default of a setting; None where it acts on all. fractional: it reads between samples. turn:
    among those of its kind a lower one acts first, of equal ones that which is listed first.
    highest: the setting that must lie below half the stores' rate. fault: what is wrong with the
    settings together.
    """

    name: str
    stream: int
    kind: Kind
    contract: Contract
    caption: str
    settings: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    probability: float | None = 0.5
    variants: tuple[Variant, ...] = ()
    fractional: bool = False
    turn: int = 0
    highest: str | None = None
    fault: Callable[[Mapping[str, Any]], str | None] | None = None

    def chosen_settings(self, params: Any) -> dict[str, Any]:
        """Its settings in the section `augment` (`AugmentParams`), without its name before them."""
        return {key: getattr(params, f"{self.name}_{key}") for key in self.settings}

    def contract_of(self, params: Any) -> Contract:
        """Its contract, or that of the variant which the section `augment` chooses."""
        chosen = self.chosen_settings(params)
        for variant in self.variants:
            if variant.contract is not None and chosen[variant.setting] == variant.value:
                return variant.contract
        return self.contract
