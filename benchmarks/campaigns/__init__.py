"""What a campaign file says, and where its instances come from."""
