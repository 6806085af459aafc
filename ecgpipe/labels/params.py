"""The section `labels` of params.yaml."""

from typing import Literal

from ecgpipe.project.params import Section


class LabelParams(Section):
    """`labels` in params.yaml: the classes ('official', 'study' or codes), and what of recordings
    without any.

    unannotated: how training, and nothing else, takes a class that a source does not annotate:
    'mask' leaves it out of the loss, 'negative' counts it as absent. The table of labels, and with
    it every metric, is the same for both.
    """

    classes: str | list[str]
    merge_ectopics: bool
    unscored: Literal["keep", "drop"]
    unannotated: Literal["mask", "negative"]
