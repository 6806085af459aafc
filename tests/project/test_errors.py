import pickle

import pytest
from pydantic import field_validator

from ecgpipe.project import params
from ecgpipe.project.errors import UserError
from ecgpipe.recordings.refusals import Refused


@pytest.mark.parametrize(
    "error", [UserError("a.csv: no column age; add it"), Refused("short", "A1: .5 s; leave it out")]
)
def test_a_users_fault_travels_between_processes_as_what_it_is(error):
    other = pickle.loads(pickle.dumps(error))
    assert isinstance(other, UserError)
    assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))


def test_a_rule_of_a_section_is_a_users_fault_once_its_section_is_read():
    class Folds(params.Section):
        folds: int

        @field_validator("folds")
        @classmethod
        def _two(cls, folds: int) -> int:
            if folds < 2:
                raise ValueError("two at least")
            return folds

    with pytest.raises(UserError, match=r"split\.folds: two at least \(found 1\)"):
        params.section(Folds, {"split": {"folds": 1}}, "split")
