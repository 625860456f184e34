"""A carrier's message gateway as a stand-in: CMPP, SMGP and SGIP before one set of phones."""
