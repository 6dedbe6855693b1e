"""Plans that hold under load: with headroom, and with the waits that their own simulation measured."""
