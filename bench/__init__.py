"""Figures that must hold, each beside its limit: `make bench`. Not part of the distribution."""
