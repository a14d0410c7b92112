"""How often the gateway tries to hand a code over, and for how long. Pure."""

# Within the ten seconds for which whoever asked waits, tries and pauses included.
DEADLINE_S = 9.0
TRIES = 3
PAUSE_S = 0.5
