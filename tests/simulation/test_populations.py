"""Both populations against what they are said to be."""

from collections import Counter

import numpy as np
import pytest

from ecgpipe.simulation import label_criteria, populations
from ecgpipe.simulation.beats import draw_beats
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.patients import draw_heart

# Positives of each class among the 88,253 public recordings of the Challenge 2021, in percent, all
# codes of the class (its lists of counts); Brady, BBB and LPR hold here wherever a narrower class
# does, and PVC includes the ventricular ectopics that the Challenge does not score.
PUBLISHED = {
    "NSR": 32.8,
    "SB": 21.4,
    "STach": 10.9,
    "AF": 6.0,
    "AFL": 9.5,
    "PR": 1.7,
    "SA": 4.3,
    "IAVB": 4.4,
    "PAC": 3.7,
    "PVC": 4.4,
    "RBBB": 5.5,
    "LBBB": 1.7,
    "IRBBB": 2.1,
    "LAnFB": 2.5,
    "NSIVCB": 2.0,
    "LAD": 8.6,
    "RAD": 1.5,
    "LQRSV": 1.8,
    "TAb": 13.3,
    "TInv": 4.5,
    "QAb": 2.4,
    "LQT": 2.2,
    "PRWP": 0.7,
}


def shares(population, count):
    """The share of each label among many patients, in percent."""
    counts = Counter()
    for seed in range(count):
        rng = np.random.default_rng([11, seed])
        findings = draw_findings(rng, population=population)
        heart = draw_heart(rng, findings)
        beats, _ = draw_beats(rng, findings, 50, 12, 1.0)
        counts.update(label_criteria.decide(findings, heart, beats, 1.0, 11.0).labels)
    return {label: 100 * counts[label] / count for label in label_criteria.CODES}


def test_every_class_is_a_fair_share_of_the_balanced_population():
    found = shares("balanced", 1000)
    assert 28 < found.pop("NSR") < 45
    assert min(found.values()) > 4 and max(found.values()) < 27, found


def test_the_published_population_has_each_class_about_as_often_as_the_archives():
    found = shares("published", 1000)
    for label, percent in PUBLISHED.items():
        assert percent / 2.5 - 0.5 < found[label] < 2 * percent + 2, (label, found[label])


@pytest.mark.parametrize("name", sorted(populations.POPULATIONS))
def test_the_shares_of_a_table_add_up(name):
    tables = [
        table for table in vars(populations.POPULATIONS[name]).values() if isinstance(table, dict)
    ]
    assert len(tables) > 4
    for table in tables:
        assert sum(table.values()) == pytest.approx(1, abs=0.02)
