from ecgpipe.report.html_sentences import made, notes, summary
from tests.fixtures.small_run import PARAMS, run, with_floor


def test_how_the_run_was_split_and_scored():
    params = PARAMS.model_dump() | {"thresholds": "sensitivity", "resamples": 1000}
    text = made({"protocol": "stratified", "sources": {"a": "1", "b": "2"}}, params)
    assert "that it had seen. Sources: a, b." in text
    assert text.endswith(
        "Scored with calibration platt, thresholds sensitivity of 0.9; 1,000 resamples, seed 1."
    )


def test_the_summary_names_few_classes_and_scores_with_intervals():
    _, metrics, names = run()
    text = " ".join(summary(metrics))
    value = metrics["settings"]["out_of_fold"]["auroc_macro"]
    scored = f"3 of 4 classes that can be scored, the mean AUROC is {value:.3f} (95 % interval"
    assert scored in text
    assert f"says little of {names[1]}, {names[3]}." in text
    assert "test recordings" in text
    assert "test recordings" not in " ".join(summary(run(False)[1]))


def test_notes_say_what_is_undefined_and_what_a_fold_never_saw():
    _, metrics, names = run()
    text = "\n".join(notes(metrics))
    assert f"Out of fold: {names[3]} is undefined (not annotated)" in text
    assert f"Fold 0: no recording that its model learnt from has {names[3]}." in text
    undefined = {"challenge_subset": "a class has no severity"}
    metrics = {"settings": {"test": {"undefined": undefined}}, "classes": {}, "folds": {}}
    assert notes(metrics) == [
        "Test, single models: Challenge score of these classes is undefined "
        "(a class has no severity) and left out of means."
    ]


def test_the_floor_is_told_with_whether_the_networks_beat_it():
    metrics = with_floor()
    text = " ".join(summary(metrics))
    pooled = metrics["settings"]["out_of_fold"]
    value, above = pooled["floor_auroc_macro"], pooled["auroc_macro_above_floor"]
    reached = (
        f"Out of fold, a logistic regression on 12 features reaches a mean AUROC of {value:.3f}"
    )
    assert reached in text
    assert f"the networks are above it by +{above:.3f}, 95 % interval" in text
    assert "Simple features tell" not in text
    assert "logistic regression" not in " ".join(summary(run()[1]))


def test_a_floor_that_the_networks_do_not_beat_is_named_plainly():
    metrics = with_floor(sharper=3)
    text = " ".join(summary(metrics))
    assert "; the networks do not beat it (\N{MINUS SIGN}0." in text
    worse = [
        name
        for name, of_class in metrics["classes"].items()
        if of_class["out_of_fold"]["auroc_above_floor_high"] < 0
    ]
    frequent = [name for name in worse if not metrics["classes"][name]["out_of_fold"]["few"]]
    assert len(frequent) > 1
    assert f"by more than chance explains: {', '.join(frequent)}." in text
