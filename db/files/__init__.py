"""The files of a home: its layout, stored pictures, tiles, whole or not at all."""
