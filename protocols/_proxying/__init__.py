"""What connections through something else share: names, networks, who is of the Internet, handing over, relaying."""
