"""What pictures are written as; apart from `style`, so that a file name is checked without loading Matplotlib."""

PICTURE_SUFFIXES = (".png", ".pdf", ".svg")
