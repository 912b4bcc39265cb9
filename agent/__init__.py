"""Execute PRPs: plan, code, verify and deliver what a requirement document asks for."""

__version__ = "0.1.0"
