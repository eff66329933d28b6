"""The journal as people read it, by connections that cannot change anything and last for milliseconds."""
