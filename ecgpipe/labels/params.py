"""The section `labels` of params.yaml."""

from typing import Literal

from ecgpipe.project.params import Section


class LabelParams(Section):
    """`labels` in params.yaml: the classes ('official', 'study' or codes), and what of recordings
    without any."""

    classes: str | list[str]
    merge_ectopics: bool
    unscored: Literal["keep", "drop"]
