"""Side by side: method registry, instance families, campaigns, tables, figures and the command line."""
