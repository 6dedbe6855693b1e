"""What `import finbench as fb` gives, one concept a module; each name is fetched when it is first used."""
