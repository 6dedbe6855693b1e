"""Many applications on one system: groups, prices and room, FIN for all of them, and the bound."""
