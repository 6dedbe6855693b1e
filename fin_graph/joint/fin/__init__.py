"""FIN for several applications: insertion one after another, prices of congested resources, improving moves."""
