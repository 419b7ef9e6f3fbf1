"""The demo: an embedded AWS, its seeded world, and a launcher for JupyterLab beside it."""
