"""What the end-to-end tests stand on: a recording mock provider and the real `gateway` process."""
