"""TLS as a layer: what an end brings to it, certificates, and what went wrong in our words."""
