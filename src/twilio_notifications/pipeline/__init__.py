"""The stages that one notification passes, and what runs them.

This room asks the core what to do and does it through the ports. It knows no adapter.
"""
