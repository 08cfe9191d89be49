"""IIIF: manifests and collections (Presentation 2 and 3), pictures (Image 1 to 3), streams of changes (Discovery 1)."""
