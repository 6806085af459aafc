"""The stages of dvc.yaml: each reads its params and its inputs, does one deed and writes its
outputs."""
