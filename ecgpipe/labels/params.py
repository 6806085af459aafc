"""The section `labels` of params.yaml."""

from typing import Any, Literal

from pydantic import field_validator

from ecgpipe.project.params import Section


class LabelParams(Section):
    """`labels` in params.yaml: the classes ('official', 'study' or a list of codes, which may be
    written as numbers, and abbreviations), and what of recordings without any."""

    classes: str | list[str]
    merge_ectopics: bool
    unscored: Literal["keep", "drop"]

    @field_validator("classes", mode="before")
    @classmethod
    def _codes_as_text(cls, classes: Any) -> Any:
        if not isinstance(classes, list):
            return classes
        return [str(code) if type(code) is int else code for code in classes]
