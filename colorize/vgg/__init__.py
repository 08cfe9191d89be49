"""VGG-19 by layer names: the encoder, its weights, the losses taken on it and the optimiser that follows them."""
