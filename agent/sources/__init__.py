"""Adapters that read demand."""
