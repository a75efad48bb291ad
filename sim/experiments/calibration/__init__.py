"""Which values of the unknown numbers agree with what is known of the city."""
