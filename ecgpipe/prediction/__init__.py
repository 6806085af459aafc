"""New recordings to probabilities and decisions; the models as ONNX."""
