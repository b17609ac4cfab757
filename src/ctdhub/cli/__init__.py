"""The command line: one thin module per verb group, no logic.

Zone: assembly.  Arguments, help, progress, how results and errors are shown, exit codes.
Not here: anything another program would want to call.
Public: ``main.main``.
"""
