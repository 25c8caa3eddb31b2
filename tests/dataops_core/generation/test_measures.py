"""Metrics and their values."""

import re

import pytest

from dataops_core.generation.measures import unit, values
from dataops_core.templates.loader import load_catalog


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("rotation rate", "percent"),
        ("share of wallet", "percent"),
        ("time to first commit", "minutes"),
        ("lead time for changes", "minutes"),
        ("authorization latency", "ms"),
        ("battery age", "days"),
        ("satisfaction score", "points"),
        ("retry volume", ""),
        ("cost per ticket", ""),
    ],
)
def test_a_metric_is_counted_in_what_its_noun_asks_for(metric, said):
    assert unit(metric) == said


def test_values_are_those_of_their_unit_and_the_same_ones_always():
    metrics = {metric for template in load_catalog().templates for topic in template.topics for metric in topic.metrics}
    forms = {"": r"\d{3}|\d,\d{3}", "points": r"[3-9]\.\d"}
    for metric in metrics:
        said = list(values(metric))
        assert said == list(values(metric))
        assert len(set(said)) > 6
        form = forms.get(unit(metric), rf"\d{{1,3}} {unit(metric)}")
        assert all(re.fullmatch(form, value) for value in said)
        assert unit(metric) != "percent" or all(int(value.split()[0]) < 100 for value in said)
    # Most metrics of the catalog have a unit.
    assert sum(unit(metric) != "" for metric in metrics) > 0.6 * len(metrics)


@pytest.mark.parametrize("metric", ["error rate", "payout error rate", "share of false alarms", "packet loss"])
def test_what_goes_wrong_is_rare(metric):
    assert all(int(value.removesuffix(" percent")) < 15 for value in values(metric))
