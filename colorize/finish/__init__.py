"""From a method's chroma to the picture at full size: lightness kept, colours laid inside the print's frame."""
