"""TensorFlow Data Validation's own measures, to the last rounding rule: for teams that move over."""
