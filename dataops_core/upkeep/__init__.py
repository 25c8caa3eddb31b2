"""What the product does to itself by the clock, with nobody asking.

``retention`` removes what is too old. Does not belong here: what ends by a request (teardowns), how a kind is stored
(``registry``), and when it is done (the pipeline's schedules).
"""
