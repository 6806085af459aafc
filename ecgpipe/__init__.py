"""ecgpipe: 12-lead ECG recordings from many hospitals to a classifier whose scores can be believed.

The packages, in the order of the data:

- project: settings, files and the life of a stage; snomed: the concepts that the code names
- diagnoses: SNOMED CT classes, and what each source's vocabulary can say
- signals: the signal store, as it is read
- simulation: simulated hearts and hospitals; recordings: files of real ones; features: what is
  measured on a conditioned one
- labels, preprocessing, splitting: the stages label-map, preprocess and split
- dataset, model, augmentation, training: the stage train
- evaluation, report: the stage evaluate; pretraining: the stage pretrain
- prediction, drawing, comparison, audit: what people call; no stage depends on them
- commands: one file a command of `python -m ecgpipe`

Imports go up this list only: tests/test_architecture.py has the rule.
"""
