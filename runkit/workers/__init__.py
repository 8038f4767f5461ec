"""Several devices or machines for one training run, by TensorFlow's strategies."""
