"""From a plan to running parts: a model is cut where its DNN's blocks end."""
