"""The catalogue: what nishiki keeps. It knows neither Prefect nor torch."""
