"""One module per step, named rNNNN and never changed once released."""
