"""Attacks on the engine, whose success is compared with the guarantee; `attack.py` runs them.

`bounds` says what right guesses prove, `views` what an attacker sees; `canary`, `two_worlds` and
`membership` attack fictitious people.
"""
