"""The process: reads sources, keeps history, runs the decision code and publishes what it says."""
