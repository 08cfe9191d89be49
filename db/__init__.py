"""The catalogue: what nishiki keeps. It knows neither Prefect, Ray nor torch."""
