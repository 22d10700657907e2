"""The ForecastPolicy document: typed models, validation, the CRD."""
