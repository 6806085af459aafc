"""The stages of dvc.yaml: each reads its params and its inputs, does one thing and writes its
outputs."""
