"""What `reactor.` offers beside TCP and time, a file a facility; `base.Reactor` puts them together."""
