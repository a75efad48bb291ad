"""Many runs: which ones, where they are made, and the store in which nothing is lost or doubled."""
