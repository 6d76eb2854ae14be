"""Lucas, the sales agent: reads Brazilian Portuguese, knows the stock, decides what to answer.

Pure: reads no clock, database or queue. `worker` hands in what he needs and stores what he decides.
"""
