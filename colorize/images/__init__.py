"""Pictures before they are coloured: decoded, brought to a size, their tone and frame judged, marks read."""
