"""What travels between controller and agents: messages, tensors as bytes, chunked transfers. Pure."""
