"""Bodies: as they come, as they are coded, and as they are made to be sent. What each module has stands there."""
