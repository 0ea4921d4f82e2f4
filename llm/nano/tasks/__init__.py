"""Generated repair tasks for the nano model: small repositories with one planted bug each."""
