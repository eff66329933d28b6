"""Fuzzing: machine-made payloads for the contract, guided by which lines of it they reach."""
