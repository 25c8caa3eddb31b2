"""What nobody owns: found, repaired where that is safe, removed after a grace, and else reported.

``sweep`` goes through all of it and decides; each other module finds one kind of thing. ``model`` has what they say.
"""
