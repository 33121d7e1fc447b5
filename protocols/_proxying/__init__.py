"""What connections through something else share: names, networks, handing over, relaying."""
