"""The section `split` of params.yaml."""

from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from ecgpipe.project import tables
from ecgpipe.project.params import MOST_SEED, Section


class SplitParams(Section):
    """Section `split`.

    folds: exactly 0, 1, ..., K-1 (K >= 2). test_sources: whole sources that make up the test part;
    where any is given, test_fraction applies to none of the others. test_fraction: the test part's
    share of every source under protocol `stratified`, 0 for none; protocol `source` never divides a
    source, so its test part is test_sources alone. train_sources: whole sources that every fold
    trains on and none is scored on, such as simulated ones. institutions: sets of sources that
    protocol `source` and test_sources keep together; a source stands in one at most.
    """

    folds: list[int] | list[str]
    protocol: Literal["stratified", "source"]
    test_fraction: float = Field(ge=0, le=0.5)
    test_sources: list[str]
    train_sources: list[str] = Field([])
    institutions: list[list[str]]
    seed: int = Field(ge=0, le=MOST_SEED)

    @field_validator("folds")
    @classmethod
    def _counted_from_zero(cls, folds: list) -> list:
        expected = [str(number) for number in range(len(folds))]
        if len(folds) < 2 or [str(fold) for fold in folds] != expected:
            raise ValueError(
                "must be 0, 1, ..., K-1 with K of at least 2; write [0, 1, 2] for three folds"
            )
        return folds

    @field_validator("test_sources", "train_sources")
    @classmethod
    def _no_doubles(cls, names: list) -> list:
        if len(set(names)) < len(names):
            raise ValueError("must name each source once; remove the doubles")
        return names

    @field_validator("institutions")
    @classmethod
    def _disjoint(cls, institutions: list) -> list:
        names = [name for institution in institutions for name in institution]
        if len(set(names)) < len(names):
            raise ValueError(
                "a source stands in one institution at most, and once; remove the doubles"
            )
        return institutions

    @model_validator(mode="after")
    def _apart(self) -> "SplitParams":
        both = sorted(set(self.test_sources) & set(self.train_sources))
        if both:
            raise ValueError(f"test_sources and train_sources both name {', '.join(both)}")
        return self

    @property
    def shares(self) -> np.ndarray:
        """The share of a divided source that each fold and, last, the test part is to get; float64
        [folds + 1]."""
        test = 0.0
        if self.protocol == "stratified" and not self.test_sources:
            test = self.test_fraction
        return np.append(np.full(len(self.folds), (1 - test) / len(self.folds)), test)

    @property
    def parts(self) -> list[str]:
        """The names of the sides, as in column `fold`: the folds, then the test part."""
        return [*map(str, self.folds), tables.TEST]
