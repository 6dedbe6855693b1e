"""A model in ONNX, read as a DNN: its operators, what they cost, the chain they form, and its blocks."""
