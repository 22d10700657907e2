"""History in, quantile forecasts out: models, seasons, calibration. Numbers only.

No I/O, no clock, nothing of Kubernetes or KEDA belongs here.
"""
