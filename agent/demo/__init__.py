"""A simulated workload, and a stand-in for KEDA and the HPA, for `foretide demo`."""
