"""What is learned. The only place of the controller's side that imports torch."""
