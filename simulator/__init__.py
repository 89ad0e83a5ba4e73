"""The four platforms and a conversation core, emulated over real HTTP on loopback.

Written from the platforms' documentation alone: it shares no code with the connectors,
so that a misunderstanding on one side shows as a failing test, not as agreement.
"""
