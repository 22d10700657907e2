"""Forecast and observation in, recommendation out. `keda/` is the adapter that answers KEDA.

Pure: the time comes in as an argument, and reasons go out with the numbers. No source, no cluster, no clock here.
"""
