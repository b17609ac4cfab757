"""ctdhub: harmonise, protect and show case data on human trafficking."""

__version__ = "0.1.0"
