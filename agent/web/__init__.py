"""HTTP: health, metrics, the API and the page."""
