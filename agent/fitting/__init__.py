"""Where models are fitted: the port and its adapters."""
