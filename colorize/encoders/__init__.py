"""The networks that pictures are seen with: VGG-19 and nishiki's small one, their files and checksums.

The only room that imports torchvision.
"""
