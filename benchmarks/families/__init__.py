"""Instance families: one file each, registered in `FAMILIES`."""
