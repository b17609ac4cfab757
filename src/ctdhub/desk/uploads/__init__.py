"""Taking files in: the tus protocol, a plain form, the inbox of ciphertext and its limits.

Zone: web process.  Nothing here can read back what it took.
Not here: what is done with a file once it is whole (``desk.worker``).
"""
